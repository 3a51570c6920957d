"""The OpAMP protocol without sockets: framing, messages, session logic. Pure."""
