# %% [markdown]
# # Accounts
# A small bank: classes, inheritance, and rules that must hold.

# %% locked="transfer"
def transfer(source, target, amount):
    """Move money from one account to another; nothing happens if it cannot be withdrawn."""
    source.withdraw(amount)
    target.deposit(amount)

# %% [markdown]
# ## Account
# `Account(owner, balance=0)` has the attributes `owner` and `balance` and the methods `deposit(amount)` and
# `withdraw(amount)`. Amounts that are not positive, and withdrawals beyond the balance, raise a `ValueError`.
# `str(account)` is `"Ada: 10.00"`.

# %% solution="account"
### BEGIN SOLUTION
class Account:
    """Money that belongs to somebody."""

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("deposit something")
        self.balance += amount

    def withdraw(self, amount):
        if amount <= 0 or amount > self.balance:
            raise ValueError(f"{amount} cannot be withdrawn")
        self.balance -= amount

    def __str__(self):
        return f"{self.owner}: {self.balance:.2f}"
### END SOLUTION

# %% mistake="shared_balance"
class Account:
    """Money that belongs to somebody."""
    balance = 0

    def __init__(self, owner, balance=0):
        self.owner = owner
        Account.balance = balance

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("deposit something")
        Account.balance += amount

    def withdraw(self, amount):
        if amount <= 0 or amount > Account.balance:
            raise ValueError(f"{amount} cannot be withdrawn")
        Account.balance -= amount

    def __str__(self):
        return f"{self.owner}: {self.balance:.2f}"

# %% mistake="prints_instead_of_raising"
class Account:
    """Money that belongs to somebody."""

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance

    def deposit(self, amount):
        if amount <= 0:
            print("Deposit something!")
            return
        self.balance += amount

    def withdraw(self, amount):
        if amount <= 0 or amount > self.balance:
            print("That cannot be withdrawn!")
            return
        self.balance -= amount

    def __str__(self):
        return f"{self.owner}: {self.balance:.2f}"

# %% mistake="no_str"
class Account:
    """Money that belongs to somebody."""

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance

    def deposit(self, amount):
        if not amount > 0:
            raise ValueError
        self.balance += amount

    def withdraw(self, amount):
        if not 0 < amount <= self.balance:
            raise ValueError
        self.balance -= amount

    def show(self):
        return f"{self.owner}: {self.balance:.2f}"

# %% mistake="balance_is_a_method"
class Account:
    """Money that belongs to somebody."""

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.money = balance

    def balance(self):
        return self.money

    def deposit(self, amount):
        if not amount > 0:
            raise ValueError
        self.money += amount

    def withdraw(self, amount):
        if not 0 < amount <= self.money:
            raise ValueError
        self.money -= amount

    def __str__(self):
        return f"{self.owner}: {self.money:.2f}"

# %%
account = Account("Ada", 10)
account.deposit(5)
print(account)

# %% test="test_account" points=2
account = Account("Grace")
assert account.owner == "Grace"
assert account.balance == 0
account.deposit(100)
account.withdraw(30)
assert account.balance == 70, f"100 - 30 is 70, not {account.balance}"
### BEGIN HIDDEN TESTS
first, second = Account("a", 5), Account("b", 7)
first.deposit(1)
assert (first.balance, second.balance) == (6, 7), "accounts must not share their money"
### END HIDDEN TESTS

# %% test="test_account_rules" points=2
account = Account("Alan", 10)
for action in (lambda: account.withdraw(11), lambda: account.withdraw(0), lambda: account.deposit(-1)):
    try:
        action()
    except ValueError:
        pass
    else:
        raise AssertionError("a ValueError was expected")
assert account.balance == 10, "what is refused changes nothing"

# %% test="test_account_str" points=1
assert str(Account("Ada", 10)) == "Ada: 10.00"
### BEGIN HIDDEN TESTS
assert f"{Account('Bob', 2.5)}" == "Bob: 2.50"
assert "{:>12}".format(str(Account("Ada", 1))) == "   Ada: 1.00"
### END HIDDEN TESTS

# %% [markdown]
# ## SavingsAccount
# A `SavingsAccount(owner, balance=0, rate=0.02)` is an `Account` with a method `add_interest()`.

# %% solution="savings_account"
### BEGIN SOLUTION
class SavingsAccount(Account):
    def __init__(self, owner, balance=0, rate=0.02):
        super().__init__(owner, balance)
        self.rate = rate

    def add_interest(self):
        if self.balance > 0:
            self.deposit(self.balance * self.rate)
### END SOLUTION

# %% mistake="does_not_inherit"
class SavingsAccount:
    def __init__(self, owner, balance=0, rate=0.02):
        self.owner = owner
        self.balance = balance
        self.rate = rate

    def deposit(self, amount):
        self.balance += amount

    def add_interest(self):
        self.balance *= 1 + self.rate

# %% mistake="forgets_super"
class SavingsAccount(Account):
    def __init__(self, owner, balance=0, rate=0.02):
        self.rate = rate

    def add_interest(self):
        self.deposit(self.balance * self.rate)

# %% mistake="returns_the_interest"
class SavingsAccount(Account):
    def __init__(self, owner, balance=0, rate=0.02):
        super().__init__(owner, balance)
        self.rate = rate

    def add_interest(self):
        return self.balance * self.rate

# %% test="test_savings_account" points=2
savings = SavingsAccount("Ada", 100, rate=0.1)
savings.add_interest()
assert abs(savings.balance - 110) < 1e-9
### BEGIN HIDDEN TESTS
savings = SavingsAccount("Ada")
assert savings.rate == 0.02
savings.add_interest()
assert savings.balance == 0
### END HIDDEN TESTS

# %% test="test_inheritance" points=1
assert issubclass(SavingsAccount, Account), "a SavingsAccount is an Account"
savings = SavingsAccount("Ada", 50)
assert isinstance(savings, Account)
assert not isinstance(Account("Ada"), SavingsAccount)

# %% test="test_transfer" points=1
savings, account = SavingsAccount("Ada", 50), Account("Bob")
transfer(savings, account, 20)
assert [savings.balance, account.balance] == [30, 20]
### BEGIN HIDDEN TESTS
try:
    transfer(account, savings, 1000)
except ValueError:
    assert savings.balance == 30 and account.balance == 20
else:
    assert False, "there is not enough money"
### END HIDDEN TESTS
