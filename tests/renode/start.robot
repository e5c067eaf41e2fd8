*** Settings ***
Documentation       A thermostat on the bare 32-bit machine starts, is reset and loses its power: each time its outputs are
...                 safe before anything else runs. On Renode: renode-test tests/renode (after python -m tools.bare.board
...                 --kind thermostat --out build/bare); on QEMU: tests/renode/test_suites.py.
Library             ${MACHINE}
Test Setup          Load The Machine
Test Timeout        4 minutes

*** Variables ***
# Renode's keywords are there without a library; on QEMU this is tests/renode/qemu_keywords.py.
${MACHINE}          BuiltIn
${FOLDER}           @build/bare
# The outputs of hardware/nodes/thermostat.toml in their order there, with their safe levels.
@{SAFE}             pin 4 0    pin 5 0    pin 7 0    pin 21 0

*** Test Cases ***
Outputs Are Safe Before Anything Else
    Start Emulation
    Outputs Should Be Safe First
    Wait For Line On Uart    boot 1 after power-on
    Wait For Line On Uart    ready

A Reset Makes Outputs Safe Again And Counts A Boot
    Start Emulation
    Wait For Line On Uart    ready
    Execute Command    machine Reset
    Outputs Should Be Safe First
    Wait For Line On Uart    boot 2 after
    Wait For Line On Uart    ready

Outputs Are Safe Within A Tenth Of A Second
    [Documentation]    In the machine's own time, which QEMU does not stop.
    [Tags]    renode
    Execute Command    emulation RunFor "0.1"
    Outputs Should Be Safe First

*** Keywords ***
Load The Machine
    Execute Command    $folder=${FOLDER}
    Execute Command    include @hardware/renode/bare.resc
    Create Terminal Tester    sysbus.uart0    timeout=120

Outputs Should Be Safe First
    FOR    ${level}    IN    @{SAFE}
        ${found}=    Wait For Next Line On Uart
        # Renode's releases do not agree on the case of this key.
        ${line}=    Evaluate    {name.lower(): value for name, value in $found.items()}["line"]
        Should Be Equal    ${line}    ${level}
    END
