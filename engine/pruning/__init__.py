"""Pruning: what can go from a network, what goes first, what that costs and what it saves.

``smaller`` makes one smaller network, ``cut_study`` holds it against the whole, ``saving`` keeps
it. ``finding`` says what units there are, ``scoring`` with ``criteria`` which matter, ``cutting``
takes them away, ``repairing`` mends what is left, ``measuring`` tells what was saved and lost, and
``sweeping`` does all that for many ratios. ``geometry`` looks at the classifier. ``methods``,
``posthoc`` and ``trained`` are for what needs more than scores.
"""
