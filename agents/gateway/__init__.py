"""The OpAMP gateway process: sockets, timers, batched writes. Decisions are in `agents.opamp`."""
