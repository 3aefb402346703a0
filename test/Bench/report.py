"""Writes one result over a report: report.py FILE SUITE SCRIPTS"""

import sys

sys.path.insert(0, sys.argv[3])
import report
import suites

result = {"name": "attention of a test", "library": "posenc", "ms": 2.5, "gflops": 3e5, "fraction": 0.5,
          "peak": 6e5, "bound": "mma", "error": 1e-3}
measured = {"commit": "0123456", "notes": ["note: A GPU, code for sm_90a"], "results": [result]}
report.write(suites.SUITES, {sys.argv[2]: measured} if sys.argv[2] else {}, sys.argv[1], "%s.d" % sys.argv[1])
