"""Speed, as ratios beside references of the same run: `python -m benchmarks` or `make bench`.

    world.py           the broker: a tree, logins, rates, closed trades, the same for the same seed
    exports.py         its trades as MT4 Manager files, its reference data as load files
    databases.py       an embedded server, templates, a fresh database per measurement
    copying.py         prepared COPY buffers: the yardstick
    file_to_booked.py  goals 1 and 6     rate_and_post.py  goal 2
    rating_only.py     goal 3            memory.py         goal 7       html_parse.py  parsing
    one_by_one.py      goal 4            close_to_posted.py, worker.py  goal 5
    reference/         what is measured beside: naive script, set-based SQL, numpy, pandas

Nothing is asserted about time; docs/performance.md says what was seen and what limits it.
"""
