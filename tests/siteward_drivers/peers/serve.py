"""A device that none of us wrote, in its own process: serve.py PEER rtu|tcp PORT UNIT FILE.

PEER is umodbus or modbus_tk, a Modbus server with the registers of the file; elli, a simulated charger that takes none;
dlt645, an electricity meter whose address is UNIT and whose data ids stand in the file.
"""

import json
import sys
from pathlib import Path

import serial

Words = dict[str, dict[int, int]]


def _load(path: str) -> Words:
    raw = json.loads(Path(path).read_text())
    return {table: {e["address"]: e["value"] for e in raw[f"{table}_registers"]} for table in ("input", "holding")}


def _runs(words: dict[int, int]) -> list[tuple[int, list[int]]]:
    runs: list[tuple[int, list[int]]] = []
    for address in sorted(words):
        if not runs or address != runs[-1][0] + len(runs[-1][1]):
            runs.append((address, []))
        runs[-1][1].append(words[address])
    return runs


def _port(path: str) -> serial.Serial:
    return serial.Serial(path, 19200, timeout=0.02)


def umodbus(transport: str, port: str, unit: int, words: Words) -> None:
    from socketserver import TCPServer

    from umodbus.server.serial import get_server as serial_server
    from umodbus.server.serial.rtu import RTUServer
    from umodbus.server.tcp import RequestHandler, get_server

    server = (
        serial_server(RTUServer, _port(port))
        if transport == "rtu"
        else get_server(TCPServer, ("127.0.0.1", int(port)), RequestHandler)
    )

    @server.route(slave_ids=[unit], function_codes=[3], addresses=list(words["holding"]))
    def holding(slave_id: int, function_code: int, address: int) -> int:
        return words["holding"][address]

    @server.route(slave_ids=[unit], function_codes=[4], addresses=list(words["input"]))
    def inputs(slave_id: int, function_code: int, address: int) -> int:
        return words["input"][address]

    @server.route(slave_ids=[unit], function_codes=[6, 16], addresses=list(words["holding"]))
    def write(slave_id: int, function_code: int, address: int, value: int) -> None:
        words["holding"][address] = value

    print("started", flush=True)
    # The serial server answers only when its polling interval is over.
    server.serve_forever(poll_interval=0.02)


def modbus_tk(transport: str, port: str, unit: int, words: Words) -> None:
    import threading

    from modbus_tk import defines, modbus_rtu, modbus_tcp

    server = (
        modbus_rtu.RtuServer(_port(port))
        if transport == "rtu"
        else modbus_tcp.TcpServer(port=int(port), address="127.0.0.1")
    )
    server.start()
    slave = server.add_slave(unit)
    for table, kind in (("input", defines.ANALOG_INPUTS), ("holding", defines.HOLDING_REGISTERS)):
        for first, values in _runs(words[table]):
            slave.add_block(f"{table}{first}", kind, first, len(values))
            slave.set_values(f"{table}{first}", first, values)
    print("started", flush=True)
    threading.Event().wait()


def elli(port: str) -> None:
    import asyncio

    from elli2modbus.simulator import ElliSim

    async def serve() -> None:
        server = await ElliSim().start("127.0.0.1", int(port))
        print("started", flush=True)
        await server.serve_forever()

    asyncio.run(serve())


def dlt645(port: str, address: str, file: str) -> None:
    import threading

    from dlt645 import MeterServerService

    meter = MeterServerService.new_rtu_server(port, 8, 1, 19200, serial.PARITY_NONE, 1.0)
    # It takes the address in the order of the wire.
    assert meter.set_address(bytes.fromhex(address)[::-1])
    for data_id, value in json.loads(Path(file).read_text()).items():
        setting = {"00": meter.set_00, "02": meter.set_02, "04": meter.set_04}[data_id[:2]]
        assert setting(int(data_id, 16), value), data_id
    assert meter.start()
    print("started", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    _, peer, transport, port, unit, file = sys.argv
    if peer == "elli":
        elli(port)
    elif peer == "dlt645":
        dlt645(port, unit, file)
    else:
        {"umodbus": umodbus, "modbus_tk": modbus_tk}[peer](transport, port, int(unit), _load(file))
