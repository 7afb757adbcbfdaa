"""The parts of ``bench_exceptions``: sets, peers, the street, and what is measured on them."""
