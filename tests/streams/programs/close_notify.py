"""TLS by Python's ssl, which tells an end that was announced (close_notify) from one that was not."""

import socket
import ssl
import sys


def describe(connection):
    try:
        while data := connection.recv(100):
            print("received", data.decode())
        print("announced end")
    except ssl.SSLEOFError:
        print("end without close_notify")


def client(port, authority):
    context = ssl.create_default_context(cafile=authority)
    with socket.create_connection(("127.0.0.1", port)) as raw:
        with context.wrap_socket(
            raw, server_hostname="localhost", suppress_ragged_eofs=False
        ) as connection:
            describe(connection)


def server(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        raw, _ = listener.accept()
        with context.wrap_socket(
            raw, server_side=True, suppress_ragged_eofs=False
        ) as connection:
            describe(connection)


client(int(sys.argv[2]), sys.argv[3]) if sys.argv[1] == "client" else server(*sys.argv[2:])
