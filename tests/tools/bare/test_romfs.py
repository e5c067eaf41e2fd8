"""A ROMFS image is as MicroPython's format says, and a VM mounts it."""

import subprocess

import pytest

from tools.bare.romfs import romfs_image


@pytest.mark.parametrize("length", [0, 1, 126, 127, 128, 200])
def test_an_image_begins_as_the_format_says_and_is_even(length):
    image = romfs_image({"a": bytes(length)})
    assert image.startswith(b"\xd2\xcd\x31") and len(image) % 2 == 0


@pytest.mark.every_vm
@pytest.mark.vm
def test_a_vm_mounts_an_image_of_ours(micropython, tmp_path):
    (tmp_path / "image").write_bytes(romfs_image({"deep/er/text": bytes(range(256)), "top": b"t"}))
    script = (
        "import vfs\nvfs.mount(vfs.VfsRom(open('image', 'rb').read()), '/rom')\n"
        "print(open('/rom/deep/er/text', 'rb').read() == bytes(range(256)), open('/rom/top').read())"
    )
    done = subprocess.run([micropython, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "t"]
