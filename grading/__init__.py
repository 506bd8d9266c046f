"""The instructors' side: release, intake, sandbox, execution, scores, records, feedback, report, LMS."""

import sys

# jsonschema, under nbformat, checks internationalised addresses if this package is there, and its import compiles
# grammars for more than a second, in every worker. No notebook has such addresses to be checked.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
