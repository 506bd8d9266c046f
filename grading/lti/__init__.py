"""LTI 1.3 Advantage: who comes from a learning management system, and grades that go there.

In: a launch that the LMS signed; points.
Out: who somebody is and why, or a refusal in words; the roster; scores, each sent until the LMS has it.
Called by `service` and `cli`. Speaks the protocol and knows neither hand-ins nor pages.
"""

__all__ = [
    "calls",
    "claims",
    "deep_linking",
    "keys",
    "launch",
    "login",
    "outbox",
    "platforms",
    "services",
    "settings",
    "stores",
    "tables",
    "web",
]
