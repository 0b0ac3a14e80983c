"""Connections send small packets at once, as Streamlit's own listening socket would not."""

import socket

from samviz.ui.sockets import send_at_once


def delayed(connection: socket.socket) -> bool:
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0


def test_connections_of_a_listening_socket_send_at_once() -> None:
    with socket.socket(socket.AF_INET) as listener, socket.socket(socket.AF_INET) as other:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        other.bind(("127.0.0.1", 0))  # bound, but it listens to nobody
        assert send_at_once() >= 1
        assert delayed(other)
        with socket.create_connection(listener.getsockname()):
            connection, _ = listener.accept()
            with connection:
                assert not delayed(connection)
