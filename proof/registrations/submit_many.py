"""Submits jobs in one transaction: submit_many.py DATABASE_URL COUNT. Needs psycopg 3."""

import sys

import psycopg

url, count = sys.argv[1:]
with psycopg.connect(url) as connection:
    with connection.cursor() as cursor:
        cursor.executemany(
            "select offload.submit('demo.echo', jsonb_build_object('message', %s::text), tags => array['python'])",
            [(str(n),) for n in range(int(count))],
        )
