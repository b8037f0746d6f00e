"""How often each thing is tried: the numbers of the tests, and of the table in docs/reliability.md."""

PROGRAMS, STEPS = 60, 40  # random programs of the state machine, and the steps of each at most
MANY_PROGRAMS = 1_500  # the same at night
SWITCHES = 1e-6  # seconds between two threads taking turns, so that they meet everywhere
ROUNDS = 40  # of each thread
MOMENTS = 32  # of a training at which it is killed, evenly spread over all lines that are executed
MANY_MOMENTS = 400
DISKS = 12  # sizes of a disk that is too small for the file
DAMAGES = 150  # checkpoints with bytes changed, cut off, or put in
HEADERS = 150  # checkpoints whose archive is whole and whose arrays are not
BYTES = 400  # texts for the IDX parser
TEXTS = 400  # for the expression parser
NAMES = 40  # hostile names in every kind of picture and page
CALLS = 150  # random words for every command
