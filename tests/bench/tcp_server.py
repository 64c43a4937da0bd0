"""Many Modbus TCP devices in one process on one epoll: one connection is one device, every register gives itself away.

Says its port, then serves until its standard input ends. Answers reads only, whole requests only: what the bench sends.
"""

import select
import socket
import sys

BACKLOG = 1024
_REQUEST = 12


def words(unit: int, address: int, count: int) -> bytes:
    """The registers of a device: floats near 230 in two words, so that every pair decodes to something true."""
    low, high = (0x4366).to_bytes(2, "big"), (unit * 251 & 0xFF00).to_bytes(2, "big")
    return b"".join(high if (address + i) % 2 else low for i in range(count))


def answer(request: bytes) -> bytes:
    """The answer to one read."""
    unit, function = request[6], request[7]
    data = words(unit, int.from_bytes(request[8:10], "big"), int.from_bytes(request[10:12], "big"))
    body = bytes((unit, function, len(data))) + data
    return request[:4] + len(body).to_bytes(2, "big") + body


def main() -> None:
    """Serve until standard input ends."""
    poll = select.epoll()
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    listener.setblocking(False)
    poll.register(listener, select.EPOLLIN)
    poll.register(sys.stdin, select.EPOLLIN)
    devices: dict[int, socket.socket] = {}
    print(listener.getsockname()[1], flush=True)
    known: dict[bytes, bytes] = {}
    while True:
        for file, _ in poll.poll():
            if file == sys.stdin.fileno():
                return
            if file == listener.fileno():
                device, _ = listener.accept()
                device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                devices[device.fileno()] = device
                poll.register(device, select.EPOLLIN)
                continue
            try:
                request = devices[file].recv(4096)
            except ConnectionResetError:
                request = b""
            if len(request) < _REQUEST:
                poll.unregister(file)
                devices.pop(file).close()
                continue
            rest = request[2:]
            reply = known.get(rest)
            if reply is None:
                reply = known[rest] = answer(request)[2:]
            devices[file].send(request[:2] + reply)


if __name__ == "__main__":
    main()
