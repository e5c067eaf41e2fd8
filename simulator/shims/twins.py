"""Which twin stands for which driver, by module name (a test sees that none is missing). Data only."""

TWINS = {
    "bl0942": "bench_bl0942",
    "dali_bridge": "bench_dali",
    "dimmer": "bench_lamp",
    "temperature": "esp32",
}
