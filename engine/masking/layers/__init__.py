"""Masks that travel through a network beside the activations.

Nothing is hung on the network and nothing of it is changed: a torch function mode, which only
the thread that entered it sees, meets each call, whether a module, a function or a method makes
it, and hands it to the rule of its kind. What there is no rule for is refused by name.
"""
