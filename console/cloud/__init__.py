"""The pages of a console that has feeds and Wisdom: nothing else of the console imports them."""
