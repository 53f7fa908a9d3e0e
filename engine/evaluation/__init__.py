"""Judging explanations: does the map name what the prediction rests on?"""
