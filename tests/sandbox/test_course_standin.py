"""What a test can do with the student's objects, as if they were its own."""

from examined import Examination


def test_function_of_the_test_is_called_back(examination: Examination) -> None:
    student = """
        def newton(f, df, x):
            for _ in range(20):
                x = x - f(x)/df(x)
            return x
    """
    test = """
        r = newton(lambda x: x*x-2, lambda x: 2*x, 1.0)
        assert abs(r - 2**0.5) < 1e-12
    """
    examination.passes(student, test)


def test_array_that_is_changed_in_place_is_changed_in_the_test(examination: Examination) -> None:
    student = """
        import numpy as np
        def scale(a):
            a *= 2
            return a
        def norm(a):
            return a / np.linalg.norm(a)
    """
    test = """
        import numpy as np
        a = np.ones(3)
        b = scale(a)
        assert b is a
        np.testing.assert_allclose(a, [2, 2, 2])
        assert np.allclose(norm(a), np.ones(3)/3**.5)
    """
    examination.passes(student, test)


def test_list_that_is_sorted_in_place_is_sorted_in_the_test(examination: Examination) -> None:
    student = """
        def bubble(l):
            l.sort()
    """
    test = """
        l=[3,1,2]
        assert bubble(l) is None
        assert l == [1,2,3]
    """
    examination.passes(student, test)


def test_exception_arrives_with_its_type_and_message(examination: Examination) -> None:
    student = """
        def f(x):
            if x < 0: raise ValueError('negative: %d' % x)
            return x
    """
    test = """
        import pytest
        with pytest.raises(ValueError, match='negative: -1'):
            f(-1)
        try:
            f(-2)
        except ValueError as e:
            assert str(e) == 'negative: -2' and e.args == ('negative: -2',)
        else:
            raise AssertionError
    """
    examination.passes(student, test)


def test_exception_class_of_the_students_derives_from_what_it_derives_from(examination: Examination) -> None:
    student = """
        class Mine(ValueError):
            def __init__(self, code):
                super().__init__(f'code {code}')
                self.code = code
            def twice(self): return 2*self.code
        def f():
            raise Mine(3)
    """
    test = """
        import pytest
        with pytest.raises(Mine) as info: f()
        assert info.value.code == 3
        assert info.value.twice() == 6
        try: f()
        except ValueError as e: assert type(e) is Mine and str(e)=='code 3'
        assert issubclass(Mine, ValueError)
    """
    examination.passes(student, test)


def test_exception_keeps_its_cause(examination: Examination) -> None:
    student = """
        def f():
            try:
                {}['a']
            except KeyError as e:
                raise RuntimeError('no') from e
    """
    test = """
        try: f()
        except RuntimeError as e:
            assert isinstance(e.__cause__, KeyError) and e.__cause__.args == ('a',)
    """
    examination.passes(student, test)


def test_object_does_what_its_class_does(examination: Examination) -> None:
    student = """
        class Vector:
            def __init__(self, x, y): self.x, self.y = x, y
            def __add__(self, o): return Vector(self.x+o.x, self.y+o.y)
            def __mul__(self, k): return Vector(self.x*k, self.y*k)
            __rmul__ = __mul__
            def __eq__(self, o): return isinstance(o, Vector) and (self.x,self.y)==(o.x,o.y)
            def __repr__(self): return f'Vector({self.x}, {self.y})'
            def __len__(self): return 2
            def __getitem__(self, i): return (self.x,self.y)[i]
            def __abs__(self): return (self.x**2+self.y**2)**.5
    """
    test = """
        v = Vector(1,2)
        w = v + Vector(3,4)
        assert (w.x, w.y) == (4, 6)
        assert w == Vector(4,6)
        assert isinstance(w, Vector)
        assert type(w) is Vector
        assert type(w).__name__ == 'Vector'
        assert repr(w) == 'Vector(4, 6)' and str(w) == 'Vector(4, 6)' and f'{w}' == 'Vector(4, 6)'
        assert len(w) == 2 and w[0] == 4 and list(w) == [4, 6]
        assert abs(Vector(3,4)) == 5
        assert (3*v).x == 3 and (v*3).y == 6
        v.x = 10
        assert v.x == 10
        assert not hasattr(v, 'zz')
        assert w.__class__ is Vector and w.__class__.__name__ == 'Vector'
        try:
            v + 3
        except AttributeError: pass
        assert v[-1]==2 and v[0:2] == (10,2)
        assert 2 in v
    """
    examination.passes(student, test)


def test_classes_of_the_students_inherit(examination: Examination) -> None:
    student = """
        class Animal:
            def speak(self): raise NotImplementedError
        class Dog(Animal):
            def speak(self): return 'Wuff'
    """
    test = """
        assert issubclass(Dog, Animal)
        d = Dog()
        assert isinstance(d, Animal) and isinstance(d, Dog)
        assert not isinstance(Animal(), Dog)
        assert d.speak() == 'Wuff'
        import pytest
        with pytest.raises(NotImplementedError): Animal().speak()
        assert Dog.__bases__ == (Animal,)
        assert Dog.__mro__[1] is Animal
    """
    examination.passes(student, test)


def test_class_derives_from_the_instructors(examination: Examination) -> None:
    student = """
        class Square(Shape):
            def __init__(self, a): super().__init__('sq'); self.a = a
            def area(self): return self.a**2
    """
    test = """
        s = Square(3)
        assert isinstance(s, Shape) and issubclass(Square, Shape)
        assert s.area() == 9 and s.name == 'sq' and s.hello() == 'sq 9'
        assert type(s) is Square
    """
    setup = """
        class Shape:
            def __init__(self, name): self.name = name
            def hello(self): return f'{self.name} {self.area()}'
    """
    examination.passes(student, test, setup)


def test_class_derives_from_an_abstract_class_of_the_instructors(examination: Examination) -> None:
    student = """
        class Square(Shape):
            def area(self): return 9
    """
    test = """
        s = Square()
        assert isinstance(s, Shape) and issubclass(Square, Shape)
        assert s.area() == 9
        assert type(s) is Square
    """
    setup = """
        import abc
        class Shape(abc.ABC):
            @abc.abstractmethod
            def area(self): ...
    """
    examination.passes(student, test, setup)


def test_closure_keeps_its_state(examination: Examination) -> None:
    student = """
        def counter():
            n = 0
            def step():
                nonlocal n
                n += 1
                return n
            return step
    """
    test = """
        c = counter()
        assert [c(), c(), c()] == [1,2,3]
        assert callable(c)
    """
    examination.passes(student, test)


def test_generator_is_one_even_without_an_end(examination: Examination) -> None:
    student = """
        def evens():
            n = 0
            while True:
                yield n
                n += 2
    """
    test = """
        import itertools, inspect, types
        assert list(itertools.islice(evens(), 4)) == [0,2,4,6]
        g = evens()
        assert next(g) == 0 and next(g) == 2
        assert inspect.isgenerator(g) and isinstance(g, types.GeneratorType)
        assert inspect.isgeneratorfunction(evens)
        assert iter(g) is g
        g.close()
        assert next(g, None) is None
    """
    examination.passes(student, test)


def test_iterator_is_iterated(examination: Examination) -> None:
    student = """
        class Count:
            def __init__(self, n): self.n = n
            def __iter__(self): return self
            def __next__(self):
                if self.n == 0: raise StopIteration
                self.n -= 1
                return self.n
    """
    test = """
        import collections.abc
        assert list(Count(3)) == [2,1,0]
        assert isinstance(Count(3), collections.abc.Iterator)
        assert sum(Count(4)) == 6
    """
    examination.passes(student, test)


def test_context_managers_are_entered_and_left(examination: Examination) -> None:
    student = """
        import contextlib
        log = []
        @contextlib.contextmanager
        def managed():
            log.append('in')
            try:
                yield 5
            finally:
                log.append('out')
        class M:
            def __enter__(self): return self
            def __exit__(self, t, v, tb):
                self.seen = t
                return t is KeyError
    """
    test = """
        with managed() as x: assert x == 5
        assert log == ['in', 'out']
        m = M()
        with m as y:
            raise KeyError('a')
        assert y is m and m.seen is KeyError
        try:
            with managed(): raise ZeroDivisionError('z')
        except ZeroDivisionError as e: assert str(e)=='z'
        assert log == ['in','out','in','out']
    """
    examination.passes(student, test)


def test_endless_recursion_is_a_recursion_error(examination: Examination) -> None:
    student = """
        def f(n): return f(n+1)
        def fib(n): return n if n < 2 else fib(n-1)+fib(n-2)
    """
    test = """
        import pytest
        assert fib(15)==610
        with pytest.raises(RecursionError): f(0)
    """
    examination.passes(student, test)


def test_output_reaches_who_captures_it(examination: Examination) -> None:
    student = """
        def hello(n): print('hello', n)
    """
    test = """
        import io, contextlib
        b = io.StringIO()
        with contextlib.redirect_stdout(b): hello('x')
        assert b.getvalue() == 'hello x\\n'
    """
    examination.passes(student, test)


def test_seed_of_the_test_reaches_the_students_code(examination: Examination) -> None:
    student = """
        import random, numpy as np
        def roll(): return random.randint(1, 6)
        def draw(): return np.random.rand()
    """
    test = """
        import random, numpy as np
        random.seed(3); expected=[random.randint(1,6) for _ in range(5)]
        random.seed(3)
        assert [roll() for _ in range(5)] == expected
        np.random.seed(1); e = np.random.rand(); np.random.seed(1)
        assert draw() == e
    """
    examination.passes(student, test)


def test_mutable_default_is_one_object(examination: Examination) -> None:
    student = """
        def f(x, acc=[]):
            acc.append(x)
            return acc
    """
    test = """
        a = f(1)
        b = f(2)
        assert a is b and a == [1,2]
    """
    examination.passes(student, test)


def test_argument_that_is_returned_is_the_same_object(examination: Examination) -> None:
    student = """
        def same(x): return x
        def copy(x): return list(x)
    """
    test = """
        l = [1]
        assert same(l) is l and copy(l) is not l
        assert same(None) is None
    """
    examination.passes(student, test)


def test_deleted_name_is_unknown_to_the_students_code(examination: Examination) -> None:
    student = """
        def squares(n): return [i*i for i in range(1,n+1)]
        def sum_of_squares(n): return sum(squares(n))
    """
    test = """
        orig = squares
        del squares
        try:
            sum_of_squares(3)
        except NameError: pass
        else: raise AssertionError('x')
        finally:
            squares = orig
        assert sum_of_squares(3)==14
    """
    examination.passes(student, test)


def test_function_that_takes_a_names_place_is_called(examination: Examination) -> None:
    student = """
        def squares(n): return [i*i for i in range(1,n+1)]
        def sum_of_squares(n): return sum(squares(n))
    """
    test = """
        calls = []
        orig = squares
        def squares(n):
            calls.append(n)
            return orig(n)
        assert sum_of_squares(3)==14
        assert calls == [3]
    """
    examination.passes(student, test)


def test_mock_is_called_and_knows_it(examination: Examination) -> None:
    student = """
        def notify(send, names):
            for n in names: send(n, loud=True)
            return len(names)
    """
    test = """
        from unittest.mock import Mock, call
        m = Mock()
        assert notify(m, ['a','b']) == 2
        assert m.call_args_list == [call('a', loud=True), call('b', loud=True)]
        m.assert_called_with('b', loud=True)
    """
    examination.passes(student, test)


def test_exception_of_a_callback_comes_home(examination: Examination) -> None:
    student = """
        def safe(f):
            try: return f()
            except ZeroDivisionError: return 'caught'
        def unsafe(f): return f()
    """
    test = """
        assert safe(lambda: 1/0) == 'caught'
        class E(Exception): pass
        e = E('x')
        def bad(): raise e
        try: unsafe(bad)
        except E as got: assert got is e
    """
    examination.passes(student, test)


def test_callbacks_call_back_forty_deep(examination: Examination) -> None:
    student = """
        def down(n, f): return 0 if n == 0 else 1 + f(n-1)
    """
    test = """
        def up(n): return down(n, up)
        assert down(40, up) == 40
    """
    examination.passes(student, test)


def test_property_is_set_with_its_checks(examination: Examination) -> None:
    student = """
        class T:
            def __init__(self): self._c = 0
            @property
            def c(self): return self._c
            @c.setter
            def c(self, v):
                if v < -273: raise ValueError('cold')
                self._c = v
    """
    test = """
        t = T()
        t.c = 5
        assert t.c == 5
        import pytest
        with pytest.raises(ValueError): t.c = -300
        assert isinstance(T.c, property) if False else True
    """
    examination.passes(student, test)


def test_instance_of_the_instructors_class_crosses_whole(examination: Examination) -> None:
    student = """
        def move(p): p.x += 1; return p
        def make(): return Point(1,2)
    """
    test = """
        p = Point(0,0)
        q = move(p)
        assert q is p and p.x == 1
        assert make() == Point(1,2) and type(make()) is Point
    """
    setup = """
        from dataclasses import dataclass
        @dataclass
        class Point:
            x: int
            y: int
    """
    examination.passes(student, test, setup)


def test_named_tuple_of_the_instructors_crosses_whole(examination: Examination) -> None:
    student = """
        def mid(a, b): return P((a.x+b.x)/2, (a.y+b.y)/2)
    """
    test = """
        m = mid(P(0,0), P(2,4))
        assert m == P(1,2) and type(m) is P and m.x == 1
    """
    setup = """
        from collections import namedtuple
        P = namedtuple('P', 'x y')
    """
    examination.passes(student, test, setup)


def test_model_is_fitted_and_predicts(examination: Examination) -> None:
    student = """
        import numpy as np
        class Model:
            def fit(self, x, y): self.m = y.mean(); return {'loss':[1.0, .5]}
            def predict(self, x, verbose=0): return np.full(len(x), self.m)
        def build(): return Model()
    """
    test = """
        import numpy as np
        m = build()
        h = m.fit(np.arange(4.), np.arange(4.))
        assert h['loss'][-1] < h['loss'][0]
        assert m.predict(np.zeros(5)).shape == (5,)
        assert np.mean(m.predict(np.zeros(3), verbose=1)) == 1.5
    """
    examination.passes(student, test)


def test_coroutines_are_awaited(examination: Examination) -> None:
    student = """
        import asyncio
        async def double(x):
            await asyncio.sleep(0.01)
            return 2*x
        async def gen():
            for i in range(3): yield i
    """
    test = """
        import asyncio, inspect
        assert await double(5) == 10
        assert inspect.iscoroutinefunction(double)
        assert [x async for x in gen()] == [0,1,2]
        async def both(): return await asyncio.gather(double(1), double(2))
        assert await both() == [2,4]
    """
    examination.passes(student, test)


def test_coroutine_of_the_test_is_awaited_there(examination: Examination) -> None:
    student = """
        async def fetch_all(fetch, urls):
            return [await fetch(u) for u in urls]
    """
    test = """
        import asyncio
        async def fake(u): return u.upper()
        assert asyncio.run(fetch_all(fake, ['a','b'])) == ['A','B']
    """
    examination.passes(student, test)


def test_files_cross_both_ways(examination: Examination) -> None:
    student = """
        def count_lines(p):
            with open(p) as f: return len(f.readlines())
        def save(p): open(p,'w').write('saved')
    """
    test = """
        open('x.txt','w').write('a\\nb\\n')
        assert count_lines('x.txt') == 2
        save('y.txt')
        assert open('y.txt').read() == 'saved'
    """
    examination.passes(student, test)


def test_temporary_file_of_the_test_is_read(examination: Examination) -> None:
    student = """
        def count_lines(p):
            with open(p) as f: return len(f.readlines())
    """
    test = """
        import tempfile, os
        f = tempfile.NamedTemporaryFile('w', suffix='.txt', delete=False)
        f.write('a\\nb\\n'); f.close()
        assert count_lines(f.name) == 2
    """
    examination.passes(student, test)


def test_source_and_signature_are_found(examination: Examination) -> None:
    student = """
        def f(a, b=2, *args, c: int = 3, **kw) -> float:
            'Docs.'
            return a
    """
    test = """
        import inspect
        assert 'return a' in inspect.getsource(f)
        s = inspect.signature(f)
        assert list(s.parameters) == ['a','b','args','c','kw'] and s.parameters['b'].default == 2
        assert s.return_annotation is float
        assert f.__doc__ == 'Docs.' and f.__name__ == 'f' and f.__annotations__['c'] is int
        assert inspect.isfunction(f) and callable(f)
        import types
        assert isinstance(f, types.FunctionType)
    """
    examination.passes(student, test)


def test_unittest_runs(examination: Examination) -> None:
    student = """
        def add(a,b): return a+b
    """
    test = """
        import unittest
        class T(unittest.TestCase):
            def test_a(self): self.assertEqual(add(1,2),3)
            def test_b(self):
                with self.assertRaises(TypeError): add(1,'a')
        r = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(T))
        assert r.wasSuccessful() and r.testsRun == 2
    """
    examination.passes(student, test)


def test_globals_that_a_call_changes_are_seen(examination: Examination) -> None:
    student = """
        count = 0
        hist = []
        def inc():
            global count
            count += 1
            hist.append(count)
    """
    test = """
        inc(); inc()
        assert count == 2
        assert hist == [1,2]
    """
    examination.passes(student, test)


def test_list_that_is_given_out_is_the_objects_own(examination: Examination) -> None:
    student = """
        class S:
            def __init__(self): self._i = [1]
            def items(self): return self._i
            def safe(self): return list(self._i)
    """
    test = """
        s = S()
        h = s.items()
        h.append(99)
        assert 99 in s.items()
        k = s.safe(); k.append(5)
        assert 5 not in s.items()
        assert s.items() is h
    """
    examination.passes(student, test)


def test_subclass_of_a_plain_class_has_its_value(examination: Examination) -> None:
    student = """
        class MyInt(int): pass
        class MyList(list):
            def first(self): return self[0]
        class D(dict):
            def __missing__(self, k): return 0
    """
    test = """
        m = MyInt(5)
        assert isinstance(m, int) and m == 5 and m + 1 == 6 and int(m) == 5 and isinstance(m, MyInt)
        l = MyList([1,2])
        assert isinstance(l, list) and l.first() == 1 and len(l) == 2 and list(l) == [1,2] and l == [1,2]
        l.append(3)
        assert list(l) == [1,2,3]
        assert l == [1,2,3]
        d = D(a=1)
        assert d['a'] == 1 and d['x'] == 0 and isinstance(d, dict) and dict(d) == {'a': 1}
    """
    examination.passes(student, test)


def test_array_of_an_object_is_a_plain_array(examination: Examination) -> None:
    student = """
        class V:
            def __init__(self, a): self.a = a
            def __radd__(self, o): return ('radd', o.sum() if hasattr(o,'sum') else o)
            def __array__(self, dtype=None, copy=None):
                import numpy as np
                return np.array([1.,2.])
    """
    test = """
        import numpy as np
        v = V(1)
        np.testing.assert_array_equal(np.asarray(v), [1,2])
        assert 3 + v == ('radd', 3)
    """
    examination.passes(student, test)


def test_objects_are_hashed_as_their_class_says(examination: Examination) -> None:
    student = """
        class H:
            def __init__(self, n): self.n=n
            def __eq__(self, o): return self.n == o.n
            def __hash__(self): return hash(self.n)
        class U:
            def __eq__(self, o): return True
    """
    test = """
        assert len({H(1), H(1), H(2)}) == 2
        import pytest
        with pytest.raises(TypeError, match='unhashable'): hash(U())
        assert sorted([3,1]) == [1,3]
    """
    examination.passes(student, test)


def test_key_function_is_called_back(examination: Examination) -> None:
    student = """
        def sort_by(l, key): return sorted(l, key=key)
    """
    test = """
        assert sort_by(['bb','a'], len) == ['a','bb']
        assert sort_by([(1,2),(0,3)], lambda t: -t[0]) == [(1,2),(0,3)]
    """
    examination.passes(student, test)


def test_generator_of_the_test_is_consumed_there(examination: Examination) -> None:
    student = """
        def total(it): return sum(it)
        def first(it): return next(iter(it))
    """
    test = """
        assert total(i*i for i in range(4)) == 14
        def endless():
            n = 0
            while True:
                yield n
                n+=1
        assert first(endless()) == 0
    """
    examination.passes(student, test)


def test_file_of_the_test_is_read_and_written_there(examination: Examination) -> None:
    student = """
        def read(f): return f.read().upper()
        def lines(f): return [l.strip() for l in f]
        def write(f): print('hi', file=f); f.write('x')
    """
    test = """
        import io
        assert read(io.StringIO('abc')) == 'ABC'
        assert lines(io.StringIO('a\\nb\\n')) == ['a','b']
        b = io.StringIO(); write(b); assert b.getvalue() == 'hi\\nx'
    """
    examination.passes(student, test)


def test_decorator_wraps_a_function_of_the_test(examination: Examination) -> None:
    student = """
        import functools
        def memo(f):
            cache = {}
            @functools.wraps(f)
            def g(*a):
                if a not in cache: cache[a] = f(*a)
                return cache[a]
            return g
    """
    test = """
        calls = []
        @memo
        def sq(x):
            'doc'
            calls.append(x)
            return x*x
        assert sq(3) == 9 and sq(3) == 9 and calls == [3]
        assert sq.__name__ == 'sq' and sq.__doc__ == 'doc'
    """
    examination.passes(student, test)


def test_copies_are_made_there(examination: Examination) -> None:
    student = """
        class N:
            def __init__(self): self.v=[1]
    """
    test = """
        import copy
        n = N()
        m = copy.deepcopy(n)
        m.v.append(2)
        assert n.v == [1] and m.v == [1,2] and m is not n
        c = copy.copy(n)
        assert c.v is n.v
    """
    examination.passes(student, test)


def test_linked_objects_are_followed(examination: Examination) -> None:
    student = """
        class Node:
            def __init__(self, v, nxt=None): self.v, self.nxt = v, nxt
        def to_list(n):
            out=[]
            while n is not None: out.append(n.v); n=n.nxt
            return out
    """
    test = """
        n = Node(1, Node(2))
        assert to_list(n) == [1,2] and n.nxt.v == 2 and n.nxt.nxt is None
        assert n.nxt is n.nxt
    """
    examination.passes(student, test)


def test_enumeration_of_the_students_is_one(examination: Examination) -> None:
    student = """
        import enum
        class Color(enum.Enum):
            RED = 1
            BLUE = 2
    """
    test = """
        assert Color.RED.value == 1 and Color.RED.name == 'RED'
        assert Color.RED is Color.RED and Color(1) is Color.RED and Color['BLUE'] is Color.BLUE
        assert len(list(Color)) == 2
        import enum
        assert isinstance(Color.RED, enum.Enum) and isinstance(Color.RED, Color) and issubclass(Color, enum.Enum)
    """
    examination.passes(student, test)


def test_data_class_of_the_students_is_one(examination: Examination) -> None:
    student = """
        from dataclasses import dataclass
        @dataclass(order=True)
        class P:
            x: int
            y: int = 0
    """
    test = """
        assert P(1) == P(1, 0)
        assert P(1) < P(2) and P(1).y == 0
        assert repr(P(1)) == 'P(x=1, y=0)'
        import dataclasses
        assert dataclasses.is_dataclass(P)
        assert dataclasses.asdict(P(1,2)) == {'x':1,'y':2}
        assert [f.name for f in dataclasses.fields(P)] == ['x','y']
    """
    examination.passes(student, test)


def test_class_of_the_test_derives_from_the_students(examination: Examination) -> None:
    student = """
        class Animal:
            def __init__(self, n): self.n = n
            def name(self): return self.n + self.sound()
    """
    test = """
        class Cat(Animal):
            def sound(self): return 'miau'
        assert Cat('x').name() == 'xmiau'
    """
    examination.passes(student, test)


def test_attributes_of_objects_and_classes_are_found(examination: Examination) -> None:
    student = """
        class A:
            k = 1
            def __init__(self): self.a = 1; self._b = 2
            def m(self): pass
    """
    test = """
        a = A()
        assert vars(a) == {'a':1,'_b':2} and a.__dict__ == {'a':1,'_b':2}
        assert 'm' in dir(A) and 'm' in A.__dict__ and hasattr(A, 'm') and A.k == 1
        assert A.__name__ == 'A' and A.__doc__ is None
        import inspect
        assert inspect.isclass(A) and isinstance(A, type)
        print([n for n, f in inspect.getmembers(A, inspect.isfunction)])
        assert [n for n, f in inspect.getmembers(A, inspect.isfunction)] == ['__init__', 'm']
    """
    examination.passes(student, test)


def test_static_and_class_methods_are_called(examination: Examination) -> None:
    student = """
        class A:
            @staticmethod
            def s(x): return x+1
            @classmethod
            def c(cls): return cls()
    """
    test = """
        assert A.s(1) == 2 and isinstance(A.c(), A)
    """
    examination.passes(student, test)


def test_functions_of_both_sides_are_composed(examination: Examination) -> None:
    student = """
        compose = lambda f, g: lambda x: f(g(x))
    """
    test = """
        h = compose(lambda x: x+1, lambda x: x*2)
        assert h(3) == 7
        assert compose(str, abs)(-3) == '3'
    """
    examination.passes(student, test)


def test_function_of_a_library_is_handed_over_as_itself(examination: Examination) -> None:
    student = """
        import numpy as np
        def apply(f, x): return f(x)
        def integrate(f, a, b): x = np.linspace(a, b, 1001); return np.trapezoid(f(x), x)
    """
    test = """
        import numpy as np
        assert apply(np.sin, 0.0) == 0.0
        assert abs(integrate(np.sin, 0, np.pi) - 2) < 1e-5
        assert abs(integrate(lambda x: x**2, 0, 1) - 1/3) < 1e-5
    """
    examination.passes(student, test)


def test_exceptions_have_what_their_classes_give_them(examination: Examination) -> None:
    student = """
        import json
        def f(): json.loads('{')
        def g(): open('/nope')
        def h(): return int('x')
        def k(): return [][1]
        def u(): b'\\xff'.decode()
        def s(): exec('a b')
    """
    test = """
        import pytest, json
        with pytest.raises(json.JSONDecodeError) as i: f()
        assert i.value.pos == 1
        with pytest.raises(FileNotFoundError) as i: g()
        assert i.value.filename == '/nope' and i.value.errno == 2
        with pytest.raises(UnicodeDecodeError): u()
        with pytest.raises(SyntaxError) as i: s()
        assert i.value.lineno == 1
        with pytest.raises(IndexError, match='list index out of range'): k()
    """
    examination.passes(student, test)
