# What a program of a few lines costs that counts with Python's Prometheus client, as the one that this program replaces.
import re, sys
from prometheus_client import Counter
LINE = re.compile(r'(\S+) (\S+) (\S+) \[([^]]+)\] "([A-Z]+) ([^" ]*)[^"]*" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"')
requests = Counter('httpd_requests', 'Requests logged.', ['status_code'])
sent = Counter('httpd_bytes_sent', 'Bytes sent to clients.')
for line in sys.stdin:
    match = LINE.match(line)
    if match:
        requests.labels(match[7]).inc()
        sent.inc(0 if match[8] == '-' else int(match[8]))
