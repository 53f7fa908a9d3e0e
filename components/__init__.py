"""Results become figures (Plotly) and pictures (Pillow). Pure: no torch, no page, no state.

Every module carries an ``example()``, drawn by a test.
"""
