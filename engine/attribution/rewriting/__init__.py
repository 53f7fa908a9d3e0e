"""Watching the torch calls of one forward pass, and giving some of them another backward.

Nothing is hung on the network and nothing of it is changed: a torch function mode, which only
the thread that entered it sees, meets each call, whether a module, a function or a method
makes it, and however often.
"""
