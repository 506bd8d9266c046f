"""What courses do in their tests, one manner after another, on the student's objects."""

import pytest
from examined import Examination


def test_input_is_patched_for_the_students_code(examination: Examination) -> None:
    student = """
        def ask():
            name = input('Name? ')
            return f'Hello {name}'
    """
    test = """
        from unittest.mock import patch
        with patch('builtins.input', return_value='Ann') as m:
            assert ask() == 'Hello Ann'
        m.assert_called_once_with('Name? ')
        with patch('builtins.input', side_effect=['a', 'b']):
            assert ask() == 'Hello a' and ask() == 'Hello b'
    """
    examination.passes(student, test)


def test_print_is_patched_for_the_students_code(examination: Examination) -> None:
    student = """
        def f(): print('a', 'b', sep='-')
    """
    test = """
        from unittest.mock import patch
        with patch('builtins.print') as p: f()
        p.assert_called_with('a','b',sep='-')
    """
    examination.passes(student, test)


def test_sleep_is_patched_for_the_students_code(examination: Examination) -> None:
    student = """
        import time
        def f(): time.sleep(1000)
    """
    test = """
        from unittest.mock import patch
        with patch('time.sleep') as p: f()
        p.assert_called_with(1000)
    """
    examination.passes(student, test)


def test_random_numbers_are_patched_and_given_back(examination: Examination) -> None:
    student = """
        import random
        def roll(): return random.randint(1,6)
    """
    test = """
        from unittest.mock import patch
        with patch('random.randint', return_value=6): assert roll() == 6
        assert 1 <= roll() <= 6
    """
    examination.passes(student, test)


def test_standard_input_is_the_tests(examination: Examination) -> None:
    student = r"""
        import sys
        def f(): return [l.strip() for l in sys.stdin]
    """
    test = r"""
        import sys, io
        old = sys.stdin
        sys.stdin = io.StringIO('a\nb\n')
        try: assert f() == ['a','b']
        finally: sys.stdin = old
    """
    examination.passes(student, test)


def test_standard_output_is_the_tests(examination: Examination) -> None:
    student = r"""
        def f(): print('hi')
    """
    test = r"""
        import sys, io
        old = sys.stdout
        sys.stdout = io.StringIO()
        f()
        out = sys.stdout.getvalue()
        sys.stdout = old
        assert out == 'hi\n'
    """
    examination.passes(student, test)


def test_view_of_an_array_shares_its_memory(examination: Examination) -> None:
    student = """
        import numpy as np
        class G:
            def __init__(self): self.a = np.zeros((3,3))
            def row(self, i): return self.a[i]
        def view(a): return a[1:]
        def copy(a): return a[1:].copy()
        def T(a): return a.T
    """
    test = """
        import numpy as np
        a = np.arange(4.)
        v = view(a)
        v[0] = 99
        assert a[1] == 99
        c = copy(a); c[0] = 5
        assert a[1] == 99
        assert np.shares_memory(view(a), a) and not np.shares_memory(copy(a), a)
        g = G()
        r = g.row(1); r[:] = 7
        assert g.a[1,1] == 7
        m = np.arange(6).reshape(2,3)
        assert T(m).shape == (3,2) and np.shares_memory(T(m), m)
    """
    examination.passes(student, test)


def test_view_that_is_changed_changes_its_array(examination: Examination) -> None:
    student = """
        def zero(col): col[:] = 0
    """
    test = """
        import numpy as np
        m = np.ones((3,3))
        zero(m[:,0])
        assert m.sum() == 6
        zero(m[1])
        assert m.sum() == 4
    """
    examination.passes(student, test)


def test_nested_lists_are_changed_in_place(examination: Examination) -> None:
    student = """
        def transpose(m):
            n = len(m)
            for i in range(n):
                for j in range(i):
                    m[i][j], m[j][i] = m[j][i], m[i][j]
    """
    test = """
        m=[[1,2],[3,4]]
        row = m[0]
        transpose(m)
        assert m == [[1,3],[2,4]] and row is m[0] and row == [1,3]
    """
    examination.passes(student, test)


def test_dicts_are_changed_in_place_and_in_order(examination: Examination) -> None:
    student = """
        def count(words, d):
            for w in words: d[w] = d.get(w, 0) + 1
        def rm(d): d.pop('a'); d['z'] = []
    """
    test = """
        d = {'a': 1}
        count(['a','b'], d)
        assert d == {'a':2,'b':1} and list(d) == ['a','b']
        rm(d)
        assert d == {'b':1,'z':[]}
        d['z'].append(3)
    """
    examination.passes(student, test)


def test_sets_deques_and_bytearrays_are_changed_in_place(examination: Examination) -> None:
    student = """
        def f(s, q, b):
            s.add(3); s.discard(1); q.appendleft(0); b.extend(b'x')
    """
    test = """
        from collections import deque
        s={1,2}; q=deque([1], maxlen=5); b=bytearray(b'a')
        f(s,q,b)
        assert s=={2,3} and list(q)==[0,1] and q.maxlen==5 and b==b'ax'
    """
    examination.passes(student, test)


def test_two_arguments_that_are_one_are_one(examination: Examination) -> None:
    student = """
        def f(a, b): a.append(1); return a is b
    """
    test = """
        x = []
        assert f(x, x) and x == [1]
        y=[]
        assert not f(y, [])
        pair = [x, x]
        def g(): pass
    """
    examination.passes(student, test)


def test_lists_may_hold_themselves(examination: Examination) -> None:
    student = """
        def knot(l): l.append(l); return l
        def first(l): return l[0]
    """
    test = """
        l = [1]
        r = knot(l)
        assert r is l and l[1] is l
        c = []
        c.append(c)
        assert first(c) is c
    """
    examination.passes(student, test)


def test_list_that_an_object_keeps_stays_one_with_the_tests(examination: Examination) -> None:
    student = """
        class Stack:
            def __init__(self, items): self.items = items
            def push(self, x): self.items.append(x)
    """
    test = """
        mine = [1]
        s = Stack(mine)
        s.push(2)
        assert mine == [1,2]
        mine.append(3)
        assert s.items == [1,2,3] and s.items is mine
    """
    examination.passes(student, test)


def test_threads_on_both_sides_work(examination: Examination) -> None:
    student = """
        import threading
        class C:
            def __init__(self): self.n=0; self.l=threading.Lock()
            def inc(self):
                with self.l: self.n += 1
        def par(f, xs):
            from concurrent.futures import ThreadPoolExecutor
            with ThreadPoolExecutor(4) as e: return list(e.map(f, xs))
    """
    test = """
        import threading
        c = C()
        ts = [threading.Thread(target=c.inc) for _ in range(8)]
        [t.start() for t in ts]; [t.join() for t in ts]
        assert c.n == 8
        assert par(lambda x: x*x, range(6)) == [0,1,4,9,16,25]
    """
    examination.passes(student, test)


def test_abstract_classes_cannot_be_made_and_can_be_derived_from(examination: Examination) -> None:
    student = """
        from abc import ABC, abstractmethod
        class Shape(ABC):
            @abstractmethod
            def area(self): ...
            def twice(self): return 2*self.area()
        class Sq(Shape):
            def __init__(self, a): self.a=a
            def area(self): return self.a**2
    """
    test = """
        import pytest
        with pytest.raises(TypeError): Shape()
        assert Sq(2).twice()==8 and isinstance(Sq(1), Shape)
        import inspect
        assert inspect.isabstract(Shape) and not inspect.isabstract(Sq)
        class Circle(Shape):
            def __init__(self, r): self.r = r
            def area(self): return 3*self.r**2
        assert Circle(2).twice() == 24 and isinstance(Circle(1), Shape) and issubclass(Circle, Shape)
        class Bad(Shape): pass
        with pytest.raises(TypeError): Bad()
    """
    examination.passes(student, test)


def test_derived_class_of_the_test_calls_super(examination: Examination) -> None:
    student = """
        class A:
            def __init__(self, n): self.n = n
            def hi(self): return f'A{self.n}'
            @property
            def p(self): return self.n
    """
    test = """
        class B(A):
            k = 5
            def __init__(self, n):
                super().__init__(n+1)
                self.extra = [n]
            def hi(self): return 'B' + super().hi()
            @staticmethod
            def s(x): return x
            @classmethod
            def make(cls): return cls(1)
            @property
            def q(self): return self.n * 2
        b = B(1)
        assert b.hi() == 'BA2'
        assert b.extra == [1]
        assert b.q == 4
        assert B.s(3) == 3
        assert type(B.make()) is B
        assert B.k == 5
        assert b.p == 2
        assert isinstance(b, A) and type(b) is B and B.__name__ == 'B'
        class Plain:
            def __init__(self): self.x = 1
        class Plain2(Plain):
            def __init__(self):
                super().__init__()
                self.y = 2
        assert Plain2().x == 1
    """
    examination.passes(student, test)


def test_operators_are_those_of_the_class(examination: Examination) -> None:
    student = """
        class M:
            def __init__(s, r): s.r = r
            def __matmul__(s, o): return ('mm', s.r, o.r)
            def __pow__(s, n): return s.r**n
            def __mod__(s, n): return s.r % n
            def __neg__(s): return M(-s.r)
            def __iadd__(s, o): s.r += o; return s
            def __truediv__(s, o): return s.r / o
            def __rsub__(s, o): return o - s.r
            def __invert__(s): return ~s.r
            def __round__(s, n=0): return round(s.r, n)
            def __divmod__(s, o): return divmod(s.r, o)
            def __int__(s): return int(s.r)
            def __float__(s): return float(s.r)
            def __index__(s): return s.r
            def __complex__(s): return complex(s.r)
            def __lshift__(s, o): return s.r << o
            def __and__(s, o): return s.r & o
            def __bytes__(s): return b'm'
            def __reversed__(s): return iter([2,1])
            def __delitem__(s, k): s.d = k
            def __setitem__(s, k, v): s.kv = (k, v)
            def __getitem__(s, k): return k
            def __format__(s, spec): return f'<{spec}>'
    """
    test = """
        m = M(3)
        assert m @ M(2) == ('mm',3,2) and m**2 == 9 and m % 2 == 1 and (-m).r == -3 and m/2 == 1.5 and 10 - m == 7
        k = m
        m += 2
        assert m is k and m.r == 5
        assert ~m == -6
        assert round(m) == 5
        assert divmod(m, 2) == (2,1)
        assert int(m) == 5
        assert float(m) == 5.0
        assert [0]*6 == [0]*6
        assert list(range(9))[m] == 5
        assert complex(m) == 5+0j
        assert m << 1 == 10
        assert m & 4 == 4
        assert bytes(m) == b'm'
        assert list(reversed(m)) == [2,1]
        del m['x']; assert m.d == 'x'
        m[1:2, ...] = 4
        assert m.kv == ((slice(1,2), Ellipsis), 4) and m[::2] == slice(None,None,2)
        assert f'{m:>5}' == '<>5>'
        import pytest
        with pytest.raises(TypeError, match='unsupported operand type'): m + 1
        with pytest.raises(TypeError): len(m)
        with pytest.raises(TypeError, match='not callable'): m()
    """
    examination.passes(student, test)


def test_objects_are_sorted_by_their_order(examination: Examination) -> None:
    student = """
        import functools
        @functools.total_ordering
        class V:
            def __init__(s, n): s.n=n
            def __eq__(s,o): return s.n==o.n
            def __lt__(s,o): return s.n<o.n
            def __repr__(s): return f'V{s.n}'
    """
    test = """
        l = [V(3),V(1),V(2)]
        assert [v.n for v in sorted(l)] == [1,2,3]
        l.sort(reverse=True)
        assert str(l) == '[V3, V2, V1]'
        assert max(l).n == 3 and V(1) <= V(1) and V(2) >= V(1) and V(1) != V(2)
        assert V(1) in [V(1)]
        assert l.index(V(2)) == 1
    """
    examination.passes(student, test)


def test_exception_classes_groups_and_notes_arrive(examination: Examination) -> None:
    student = """
        class Base(Exception): pass
        class A(Base):
            def __str__(self): return 'custom'
        class B(A, KeyError): pass
        def f(k):
            raise {'a': A('x', 1), 'b': B('y')}[k]
        def g():
            raise ExceptionGroup('g', [ValueError('v'), A('w')])
        def h():
            try: 1/0
            except ZeroDivisionError: raise A('during')
        def n():
            e = ValueError('v'); e.add_note('note'); raise e
    """
    test = """
        import pytest
        with pytest.raises(Base) as i: f('a')
        assert str(i.value) == 'custom' and i.value.args == ('x',1) and i.type is A
        with pytest.raises(KeyError): f('b')
        try: f('b')
        except LookupError as e: assert isinstance(e, Base) and type(e).__name__ == 'B' and isinstance(e, B)
        try: g()
        except* ValueError as eg: assert str(eg.exceptions[0]) == 'v'
        except* A as eg: assert len(eg.exceptions) == 1
        try: h()
        except A as e: assert isinstance(e.__context__, ZeroDivisionError)
        try: n()
        except ValueError as e: assert e.__notes__ == ['note']
        assert issubclass(B, KeyError) and issubclass(B, Exception) and B.__mro__[1] is A
    """
    examination.passes(student, test)


def test_exception_of_the_students_is_raised_by_a_callback(examination: Examination) -> None:
    student = """
        class Mine(Exception):
            def __init__(self, code): super().__init__(code); self.code = code
        def catch(f):
            try: f()
            except Mine as e: return e.code
            except TypeError as e: return 'type ' + str(e)
    """
    test = """
        def bad(): raise Mine(7)
        assert catch(bad) == 7
        def bad2(): raise TypeError('t')
        assert catch(bad2) == 'type t'
        assert Mine(3).code == 3 and isinstance(Mine(3), Exception)
        class Own(Exception): pass
        import pytest
        def bad3(): raise Own('o')
        with pytest.raises(Own): catch(bad3)
    """
    examination.passes(student, test)


def test_context_managers_see_and_swallow_exceptions(examination: Examination) -> None:
    student = """
        class Suppress:
            def __init__(self, *k): self.k = k
            def __enter__(self): return self
            def __exit__(self, t, e, tb): self.e = e; return t is not None and issubclass(t, self.k)
        import contextlib
        @contextlib.contextmanager
        def quiet():
            try: yield
            except ValueError as e: print('quiet', e)
    """
    test = """
        with Suppress(KeyError) as s: raise KeyError('k')
        assert isinstance(s.e, KeyError) and s.e.args == ('k',)
        import pytest
        with pytest.raises(OSError):
            with Suppress(KeyError): raise OSError(2, 'no')
        with quiet(): raise ValueError('v')
        class Own(ValueError): pass
        with quiet(): raise Own('o')
    """
    examination.passes(student, test)


def test_generators_are_sent_to_and_delegated_to(examination: Examination) -> None:
    student = """
        def acc():
            t = 0
            while True:
                x = yield t
                if x is None: return
                t += x
        def deleg():
            r = yield from [1,2]
            return 9
    """
    test = """
        g = acc()
        assert next(g) == 0 and g.send(5) == 5 and g.send(3) == 8
        try: g.send(None)
        except StopIteration: pass
        def outer():
            v = yield from deleg()
            yield v
        assert list(outer()) == [1,2,9]
        g = acc(); next(g)
        import pytest
        with pytest.raises(ValueError): g.throw(ValueError('x'))
        assert list(zip(range(2), (i for i in acc()))) == [(0,0)]
    """
    examination.passes(student, test)


def test_iterators_stay_lazy(examination: Examination) -> None:
    student = """
        log = []
        def gen():
            for i in range(5):
                log.append(i)
                yield i
        mapped = map(lambda x: log.append('m') or x*2, [1,2])
        def pairs(): return zip('ab', [1,2])
        def en(): return enumerate(['x'])
        def keys(): return {'a':1}.keys()
        def items(): return {'a':1}.items()
    """
    test = """
        g = gen()
        assert log == []
        assert next(g) == 0 and log == [0]
        assert log == [0]
        assert list(mapped) == [2,4]
        assert list(pairs()) == [('a',1),('b',2)] and dict(pairs()) == {'a':1,'b':2}
        assert list(en()) == [(0,'x')]
        assert list(keys()) == ['a'] and 'a' in keys() and sorted(items()) == [('a',1)] and len(keys()) == 1
        import collections.abc
        assert isinstance(keys(), collections.abc.KeysView)
    """
    examination.passes(student, test)


def test_matches_of_regular_expressions_are_used(examination: Examination) -> None:
    student = r"""
        import re
        def find(s): return re.search(r'(\d+)-(?P<w>\w+)', s)
        def all(s): return re.finditer(r'\d', s)
    """
    test = r"""
        m = find('a 12-xy')
        assert m.group(1) == '12' and m['w'] == 'xy' and m.groups() == ('12','xy') and m.span() == (2,7)
        assert m
        assert find('x') is None
        assert [x.group() for x in all('1a2')] == ['1','2']
        import re
        assert isinstance(m, re.Match)
    """
    examination.passes(student, test)


def test_dates_cross(examination: Examination) -> None:
    student = """
        import datetime as dt
        def nxt(d): return d + dt.timedelta(days=1)
        class D(dt.date): pass
        def own(): return D(2020,1,1)
    """
    test = """
        import datetime as dt
        assert nxt(dt.date(2024,2,28)) == dt.date(2024,2,29)
        assert own() == dt.date(2020,1,1) and isinstance(own(), dt.date) and own().year == 2020
        assert own() < dt.date(2021,1,1)
    """
    examination.passes(student, test)


def test_partial_functions_and_caches_are_used(examination: Examination) -> None:
    student = """
        import functools
        def add(a,b): return a+b
        add3 = functools.partial(add, 3)
        @functools.lru_cache(maxsize=None)
        def fib(n): return n if n<2 else fib(n-1)+fib(n-2)
        def curry(f): return functools.partial(f, 1)
    """
    test = """
        assert add3(4) == 7 and add3.args == (3,) and add3.func is add
        assert fib(50) == 12586269025 and fib.cache_info().hits > 0
        assert curry(lambda a,b: a-b)(5) == -4
    """
    examination.passes(student, test)


def test_containers_of_objects_cross(examination: Examination) -> None:
    student = """
        class P:
            def __init__(s,n): s.n=n
        def make(): return [P(1), P(2)], {'p': P(3)}
        def total(ps): return sum(p.n for p in ps)
    """
    test = """
        l, d = make()
        assert [p.n for p in l] == [1,2] and d['p'].n == 3
        assert total(l + [d['p']]) == 6
        l.append(P(9))
        assert total(l) == 12 and type(l) is list
    """
    examination.passes(student, test)


def test_instances_of_the_instructors_are_shared(examination: Examination) -> None:
    student = """
        class Account:
            def __init__(s, owner): s.owner = owner; s.h = []
            def deposit(s, x): s.h.append(Tx(x)); return s.h[-1]
    """
    test = """
        a = Account('Ann')
        t = a.deposit(5)
        assert t == Tx(5) and isinstance(t, Tx)
        assert a.h == [Tx(5)] and a.h[0] is t
        t.amount = 7
        assert a.h[0].amount == 7
    """
    setup = """
        from dataclasses import dataclass
        @dataclass
        class Tx:
            amount: int
    """
    examination.passes(student, test, setup)


def test_instance_that_is_changed_is_changed_in_the_test(examination: Examination) -> None:
    student = """
        def grow(t): t.children.append(Tree(1)); t.size += 1; t.extra = 'x'
    """
    test = """
        t = Tree(0)
        grow(t)
        assert t.size == 1 and t.children[0].v == 1 and t.extra == 'x' and type(t.children[0]) is Tree
    """
    setup = """
        class Tree:
            def __init__(self, v): self.v = v; self.children = []; self.size = 0
    """
    examination.passes(student, test, setup)


def test_members_of_the_instructors_enumeration_are_the_same(examination: Examination) -> None:
    student = """
        def nxt(c): return Color.BLUE if c is Color.RED else Color.RED
    """
    test = """
        assert nxt(Color.RED) is Color.BLUE and nxt(Color.BLUE) == Color.RED
    """
    setup = """
        import enum
        class Color(enum.Enum):
            RED = 1
            BLUE = 2
    """
    examination.passes(student, test, setup)


def test_exception_class_of_the_instructors_is_the_same(examination: Examination) -> None:
    student = """
        def f(): raise Bad(3)
        def g(h):
            try: h()
            except Bad as e: return e.code
    """
    test = """
        import pytest
        with pytest.raises(Bad) as i: f()
        assert i.value.code == 3 and type(i.value) is Bad
        def h(): raise Bad(4)
        assert g(h) == 4
    """
    setup = """
        class Bad(Exception):
            def __init__(self, code): super().__init__('bad %d' % code); self.code = code
    """
    examination.passes(student, test, setup)


def test_class_of_the_instructors_that_is_a_list_crosses(examination: Examination) -> None:
    student = """
        def push(s): s.append(3); return s
        def new(): return Stack([1])
    """
    test = """
        s = Stack([1,2])
        assert push(s) is s and list(s) == [1,2,3] and s.peek() == 3
        assert new() == [1] and type(new()) is Stack
    """
    setup = """
        class Stack(list):
            def peek(self): return self[-1]
    """
    examination.passes(student, test, setup)


def test_attributes_of_functions_are_kept(examination: Examination) -> None:
    student = """
        def f(x): f.calls += 1; return x
        f.calls = 0
    """
    test = """
        f(1); f(2)
        assert f.calls == 2
        f.calls = 0
        f(1)
        assert f.calls == 1
    """
    examination.passes(student, test)


def test_methods_are_patched_by_a_test(examination: Examination) -> None:
    student = """
        class A:
            def size(self): return 1
            def double(self): return 2*self.size()
    """
    test = """
        a = A()
        old = A.size
        A.size = lambda self: 10
        assert a.double() == 20
        A.size = old
        assert a.double() == 2
        from unittest.mock import patch
        with patch.object(A, 'size', return_value=7): assert A().double() == 14
        assert A().double() == 2
    """
    examination.passes(student, test)


def test_names_of_the_notebook_are_patched_by_a_test(examination: Examination) -> None:
    student = """
        import math
        def helper(): return 1
        def f(): return helper()+1
    """
    test = """
        from unittest.mock import patch
        import __main__
        with patch('__main__.helper', return_value=5): assert f() == 6
        assert f() == 2
        with patch.dict(globals(), helper=lambda: 7): assert f() == 8
    """
    examination.passes(student, test)


def test_numpy_objects_cross(examination: Examination) -> None:
    student = """
        import numpy as np
        def f(a): return a.mean(axis=0), a.std(), a > 1, a.astype(int)
        def g():
            numbers = np.float32(1.5), np.int64(3), np.bool_(True), np.datetime64('2020-01-01')
            return *numbers, np.array(['a','b']), np.array([1,None], dtype=object)
        def m(): return np.ma.masked_array([1,2],[0,1])
        def s(): return np.array([(1,2.)], dtype=[('a','i4'),('b','f8')])
        def poly(): return np.poly1d([1,2])
        rng = np.random.default_rng(0)
        def draw(rng): return rng.integers(10)
    """
    test = """
        import numpy as np
        mean, std, big, i = f(np.array([[1.,2],[3,4]]))
        assert mean.tolist() == [2,3] and big.dtype == bool and i.dtype == int
        a,b,c,d,e,o = g()
        assert type(a) is np.float32
        assert b == 3
        assert c
        assert d == np.datetime64('2020-01-01')
        assert e[1]=='b'
        assert o[1] is None
        assert m().sum() == 1 and s()['b'][0] == 2.0
        assert poly()(3) == 5 and poly().order == 1
        r1 = np.random.default_rng(5); r2 = np.random.default_rng(5)
        assert draw(r1) == r2.integers(10)
    """
    examination.passes(student, test)


def test_numbers_of_any_size_cross(examination: Examination) -> None:
    student = """
        def f(n): return n**500, float('inf'), float('nan'), -0.0, 1e308*10, 3+4j
    """
    test = """
        import math
        a,b,c,d,e,f_ = f(7)
        assert a == 7**500 and b == math.inf and math.isnan(c) and math.copysign(1,d) == -1 and abs(f_) == 5
    """
    examination.passes(student, test)


def test_text_of_any_kind_crosses(examination: Examination) -> None:
    student = r"""
        def f(s): return s[::-1] + '\U0001F600', '\ud800', 'a\x00b'
    """
    test = r"""
        a,b,c = f('äb')
        assert a == 'bä\U0001F600' and b == '\ud800' and c == 'a\x00b'
    """
    examination.passes(student, test)


def test_constants_of_the_instructors_are_there_too(examination: Examination) -> None:
    student = """
        def f(): return CONST * 2
    """
    test = """
        assert f() == 84
    """
    setup = """
        CONST = 42
    """
    examination.passes(student, test, setup)


def test_documentation_and_signatures_are_found(examination: Examination) -> None:
    student = """
        class A:
            '''Doc of A.'''
            def m(self):
                '''Doc of m.'''

    """
    test = """
        assert A.__doc__ == 'Doc of A.' and A.m.__doc__ == 'Doc of m.' and A().m.__doc__ == 'Doc of m.'
        import inspect
        assert inspect.getdoc(A.m) == 'Doc of m.'
        assert list(inspect.signature(A.m).parameters) == ['self'] and str(inspect.signature(A().m)) == '()'
        assert inspect.ismethod(A().m) and A.m.__name__ == 'm' and A.m.__qualname__ == 'A.m'
    """
    examination.passes(student, test)


def test_code_is_inspected(examination: Examination) -> None:
    student = """
        def loop(n):
            total = 0
            for i in range(n): total += i
            return total
        def rec(n): return 1 if n==0 else n*rec(n-1)
    """
    test = """
        import inspect
        assert 'for' in inspect.getsource(loop)
        assert 'rec' in rec.__code__.co_names
        assert loop.__code__.co_varnames == ('n','total','i') and loop.__code__.co_argcount == 1
        import dis
        assert rec.__defaults__ is None
    """
    examination.passes(student, test)


def test_annotations_are_found(examination: Examination) -> None:
    student = """
        from typing import List, Optional
        def f(x: List[int], y: Optional[str]=None) -> dict: return {}
        class A:
            x: int
            y: 'str' = 'a'
    """
    test = """
        import typing, inspect
        h = typing.get_type_hints(f)
        assert h['return'] is dict
        assert f.__annotations__['return'] is dict
        assert str(h['x']) == 'typing.List[int]'
        assert A.__annotations__ == {'x': int, 'y': 'str'}
    """
    examination.passes(student, test)


def test_descriptors_are_recognised(examination: Examination) -> None:
    student = """
        class A:
            @property
            def v(self): return 1
            @staticmethod
            def s(): pass
            @classmethod
            def c(cls): pass
    """
    test = """
        assert isinstance(A.__dict__['v'], property)
        assert isinstance(A.__dict__['s'], staticmethod)
        assert isinstance(vars(A)['c'], classmethod)
        assert isinstance(A.v, property)
        import inspect
        assert isinstance(inspect.getattr_static(A, 'v'), property)
    """
    examination.passes(student, test)


def test_named_tuples_and_slots_of_the_students_work(examination: Examination) -> None:
    student = """
        from typing import NamedTuple
        from collections import namedtuple
        class P(NamedTuple):
            x: int
            y: int = 0
        Q = namedtuple('Q', 'a b')
        def mk(): return P(1), Q(1,2)
        class S:
            __slots__ = ('a',)
            def __init__(s): s.a = 1
    """
    test = """
        p, q = mk()
        assert p == (1,0) and p.x == 1 and isinstance(p, tuple) and q.b == 2 and q == (1,2) and tuple(q) == (1,2)
        x, y = p
        assert (x,y) == (1,0) and p[0] == 1 and p._asdict() == {'x':1,'y':0} and len(p) == 2
        assert P(1,2) == P(1,2) and P._fields == ('x','y')
        s = S()
        import pytest
        with pytest.raises(AttributeError): s.b = 1
        assert s.a == 1
    """
    examination.passes(student, test)


def test_kinds_of_dicts_work(examination: Examination) -> None:
    student = """
        from collections import defaultdict, Counter, OrderedDict, UserDict
        class C(Counter): pass
        def f(): return defaultdict(list, a=[1]), Counter('aab'), OrderedDict(x=1), C('aa')
        class U(UserDict): pass
    """
    test = """
        d, c, o, own = f()
        assert d['zz'] == [] and c.most_common(1) == [('a',2)] and list(o) == ['x']
        assert own['a'] == 2 and own == {'a':2} and isinstance(own, dict) and own.most_common(1) == [('a',2)]
        u = U(a=1)
        assert u['a'] == 1 and 'a' in u and dict(u) == {'a':1} and list(u.items()) == [('a',1)]
        assert {**u} == {'a':1}
    """
    examination.passes(student, test)


def test_text_of_a_class_of_the_students_works(examination: Examination) -> None:
    student = """
        class S(str):
            def shout(self): return self.upper() + '!'
        s = S('hi')
    """
    test = """
        assert s == 'hi'
        assert s.shout() == 'HI!'
        assert s + 'x' == 'hix'
        assert len(s) == 2
        assert 'h' in s
        assert isinstance(s, str)
        assert s in {'hi'}
        assert f'{s}' == 'hi'
        assert s[0] == 'h'
        assert ','.join(['a', str(s)]) == 'a,hi'
        assert s.upper() == 'HI'
        assert {'hi': 1}[s] == 1
        assert s.startswith('h') and hash(s) == hash('hi')
        assert 'x' + s == 'xhi' and s * 2 == 'hihi' and 'hi' == s and 'a' < s < 'z'
    """
    examination.passes(student, test)


def test_number_of_a_class_of_the_students_works(examination: Examination) -> None:
    student = """
        class F(float):
            def half(self): return F(self/2)
        x = F(3)
    """
    test = """
        import math
        assert x + 1 == 4.0
        assert x.half() == 1.5
        assert isinstance(x.half(), float)
        assert math.sqrt(F(4)) == 2
        assert round(x) == 3
        assert x > 2
        assert max(x, 1) == 3
        assert sum([x, x]) == 6
        assert f'{x:.1f}' == '3.0'
        assert '%d' % x == '3'
        assert int(x) == 3
        import numpy as np
        assert np.isclose(x, 3.0) and np.array([x]).sum() == 3.0
        import pytest
        assert x == pytest.approx(3.0) and math.isclose(x, 3.0)
    """
    examination.passes(student, test)


def test_array_of_a_class_of_the_students_works(examination: Examination) -> None:
    student = """
        import numpy as np
        class Arr(np.ndarray):
            def total(self): return self.sum()
        def mk(): return np.arange(4).view(Arr)
        def mat(): return np.matrix([[1,2],[3,4]])
    """
    test = """
        import numpy as np
        a = mk()
        assert isinstance(a, np.ndarray) and a.total() == 6 and a.shape == (4,) and a[1] == 1
        np.testing.assert_array_equal(a, [0,1,2,3])
        assert (np.asarray(a) == [0,1,2,3]).all() and (a + 1).sum() == 10 and np.sum(a) == 6 and a.tolist() == [0,1,2,3]
        assert np.allclose(a, np.arange(4)) and np.array_equal(a, [0,1,2,3])
        m = mat()
        assert m.shape == (2,2) and np.allclose(m @ m, [[7,10],[15,22]])
        assert (a == np.arange(4)).all()
        assert len(a) == 4 and list(a) == [0,1,2,3] and a.max() == 3
    """
    examination.passes(student, test)


def test_objects_stand_for_paths_and_indices(examination: Examination) -> None:
    student = """
        class Path2:
            def __fspath__(self): return 'x.txt'
        class Idx:
            def __index__(self): return 2
    """
    test = """
        import os
        open('x.txt','w').write('q')
        assert open(Path2()).read() == 'q' and os.path.basename(Path2()) == 'x.txt'
        assert [1,2,3][Idx()] == 3 and [0]*Idx() == [0,0]
    """
    examination.passes(student, test)


def test_global_list_is_bound_anew_on_both_sides(examination: Examination) -> None:
    student = """
        data = []
        def reset():
            global data
            data = [1]
        def add(x): data.append(x)
    """
    test = """
        add(5)
        assert data == [5]
        reset()
        assert data == [1]
        add(2)
        assert data == [1,2]
        data = [9]
        add(1)
        assert data == [9,1]
    """
    examination.passes(student, test)


def test_large_arrays_cross_and_are_changed(examination: Examination) -> None:
    student = """
        import numpy as np
        def mk(): return np.ones((1000,1000))
        def inc(a): a += 1
    """
    test = """
        import numpy as np
        a = mk()
        assert a.shape == (1000,1000) and a.sum() == 1e6
        inc(a)
        assert a[5,5] == 2
        inc(a)
        assert a.sum() == 3e6
    """
    examination.passes(student, test)


def test_value_that_is_too_large_is_an_error_where_it_is_used(examination: Examination) -> None:
    student = """
        import numpy as np
        big = np.zeros(40_000_000)
        def huge(): return np.zeros(60_000_000)
        def ok(): return 1
    """
    test = """
        import pytest
        assert ok() == 1
        with pytest.raises(ValueError, match='too large'): huge()
        assert ok() == 1
        assert big.shape == (40_000_000,)
        assert big[3] == 0.0
    """
    examination.passes(student, test)


def test_objects_within_lists_are_copied(examination: Examination) -> None:
    student = """
        class A:
            def __init__(s): s.v = [1]
    """
    test = """
        import copy
        l = [A()]
        m = copy.deepcopy(l)
        m[0].v.append(2)
        assert l[0].v == [1] and m[0] is not l[0]
    """
    examination.passes(student, test)


def test_objects_within_containers_are_shown(examination: Examination) -> None:
    student = """
        class A:
            def __repr__(s): return 'A()'
    """
    test = """
        import pprint
        assert pprint.pformat([A()]) == '[A()]'
        assert '%s %r' % (A(), A()) == 'A() A()'
        assert '{}'.format(A()) == 'A()'
        assert str({'a': A()}) == "{'a': A()}"
    """
    examination.passes(student, test)


def test_numbers_of_the_students_are_added_up(examination: Examination) -> None:
    student = """
        from fractions import Fraction
        class R:
            def __init__(s,a,b): s.f=Fraction(a,b)
            def __add__(s,o): return R((s.f+o.f).numerator,(s.f+o.f).denominator)
            def __radd__(s,o): return s if o == 0 else NotImplemented
            def __str__(s): return str(s.f)
    """
    test = """
        assert str(R(1,2)+R(1,3)) == '5/6'
        assert str(sum([R(1,2),R(1,2)])) == '1'
        import pytest
        with pytest.raises(TypeError): 5 + R(1,2)
    """
    examination.passes(student, test)


def test_warnings_are_seen_by_the_test(examination: Examination) -> None:
    student = """
        import warnings
        def f(): warnings.warn('old', DeprecationWarning); return 1
    """
    test = """
        import pytest, warnings
        with pytest.warns(DeprecationWarning): assert f() == 1
    """
    examination.passes(student, test)


def test_environment_variables_reach_the_students_code(examination: Examination) -> None:
    student = """
        import os
        def f(): return os.environ.get('MY_VAR')
    """
    test = """
        import os
        os.environ['MY_VAR'] = 'x'
        assert f() == 'x'
    """
    examination.passes(student, test)


def test_folders_of_the_test_are_found(examination: Examination) -> None:
    student = """
        import os
        def f(): return os.path.exists('d/f.txt'), os.listdir('d')
    """
    test = """
        import os
        os.makedirs('d', exist_ok=True)
        open('d/f.txt','w').write('a')
        assert f() == (True, ['f.txt'])
    """
    examination.passes(student, test)


def test_temporary_folder_is_shared(examination: Examination) -> None:
    student = """
        import pathlib, json
        def save(path, d): pathlib.Path(path).write_text(json.dumps(d))
        def load(path): return json.loads(pathlib.Path(path).read_text())
    """
    test = """
        import tempfile, os
        with tempfile.TemporaryDirectory() as d:
            p = os.path.join(d, 'a.json')
            save(p, {'x':1})
            assert os.path.exists(p) and load(p) == {'x':1}
    """
    examination.passes(student, test)


def test_csv_files_are_read_and_written(examination: Examination) -> None:
    student = r"""
        import csv
        def read(p):
            with open(p, newline='') as f: return list(csv.DictReader(f))
        def write(rows, f): csv.writer(f).writerows(rows)
    """
    test = r"""
        open('a.csv','w').write('a,b\n1,2\n')
        assert read('a.csv') == [{'a':'1','b':'2'}]
        import io
        s = io.StringIO(); write([[1,2]], s)
        assert s.getvalue() == '1,2\r\n'
    """
    examination.passes(student, test)


PANDAS = """
    import pandas as pd
    def clean(frame): return frame.dropna().reset_index(drop=True)
    def add(frame): frame["c"] = frame["a"] * 2
    def means(frame): return frame.groupby("k")["a"].mean()
    def index(): return pd.date_range("2026-01-01", periods=3), pd.Categorical(["x", "y", "x"])
    class Frame(pd.DataFrame): pass
    def own(): return Frame({"a": [1, 2]})
"""


def test_frames_cross_and_are_changed(examination: Examination) -> None:
    try:
        import pandas  # noqa: F401
    except ImportError:
        pytest.skip("pandas is not among the versions that the project is tested with")
    test = """
        import pandas as pd
        frame = pd.DataFrame({"a": [1.0, None, 3.0], "k": ["x", "x", "y"]})
        pd.testing.assert_frame_equal(clean(frame), pd.DataFrame({"a": [1.0, 3.0], "k": ["x", "y"]}))
        add(frame)
        assert list(frame.columns) == ["a", "k", "c"]
        assert frame["c"].sum() == 8
        assert means(frame).to_dict() == {"x": 1.0, "y": 3.0}
        days, kinds = index()
        assert days[2] == pd.Timestamp("2026-01-03")
        assert list(kinds.categories) == ["x", "y"]
        assert isinstance(own(), pd.DataFrame)
        assert own().shape == (2, 1)
        assert clean(own()).equals(pd.DataFrame({"a": [1, 2]}))
    """
    examination.passes(PANDAS, test)
