"""How many bytes Dask's processes write into their TCP connections.

Every message goes through `distributed.comm.tcp.TCP.write`, which returns its size as serialised
and framed. The client and the scheduler live in this process, the workers in theirs: the count is
the sum over all, so data count once for each time that they travel.
"""


def count_here():
    """Begin to count in this process, from nothing."""
    from distributed.comm import tcp

    if not hasattr(tcp, "n_bytes_written"):
        write = tcp.TCP.write

        async def counted_write(self, *args, **kwargs):
            n_bytes = await write(self, *args, **kwargs)
            tcp.n_bytes_written += n_bytes
            return n_bytes

        tcp.TCP.write = counted_write
    tcp.n_bytes_written = 0


def counted_here():
    from distributed.comm import tcp

    return tcp.n_bytes_written


def bytes_written(client, run):
    """Return how many bytes all processes write while run() runs."""
    client.run(count_here)
    count_here()
    run()
    return counted_here() + sum(client.run(counted_here).values())
