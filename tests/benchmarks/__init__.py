"""How fast the library is, beside backprop written by hand and other frameworks: ``python -m tests.benchmarks``.

Every figure is a ratio of times taken in one process, turn by turn, with one BLAS thread. Nothing here is a test.
"""
