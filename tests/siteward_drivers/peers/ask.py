"""A Modbus TCP client that none of us wrote, in its own process: ask.py PORT STEPS, answers as JSON."""

import json
import sys
from typing import Any

from pymodbus.client import ModbusTcpClient


def main(port: int, steps: list[list[Any]]) -> None:
    client = ModbusTcpClient("127.0.0.1", port=port, retries=0, timeout=3)
    assert client.connect()
    calls = {
        "input": lambda first, count: client.read_input_registers(first, count=count),
        "holding": lambda first, count: client.read_holding_registers(first, count=count),
        "coils": lambda first, count: client.read_coils(first, count=count),
        "write": client.write_register,
        "writes": client.write_registers,
    }
    answers: list[object] = []
    for kind, *rest in steps:
        answer = calls[kind](*rest)
        if answer.isError():
            answers.append(answer.exception_code)
        else:
            answers.append("ok" if kind.startswith("write") else answer.registers)
    client.close()
    print(json.dumps(answers))


main(int(sys.argv[1]), json.loads(sys.argv[2]))
