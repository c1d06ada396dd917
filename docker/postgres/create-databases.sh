#!/bin/bash
# Creates five databases, each with two roles: an owner for its migrations, and one for the processes, which may read
# and write rows but not change tables. No role can connect to another database. The entrypoint of PostgreSQL's image
# runs it once, when there is no data yet.
#
# By hand, for the server of one subgraph: PGHOST=… PASSWORDS=secrets/postgres SUBGRAPHS=user …
set -euo pipefail

for name in ${SUBGRAPHS:-user product shop warehouse order}; do
  psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
    -v database="holdfast_$name" -v service="holdfast_$name" -v owner="holdfast_${name}_owner" \
    -v service_password="$(cat "${PASSWORDS:-/run/secrets}/holdfast_$name")" \
    -v owner_password="$(cat "${PASSWORDS:-/run/secrets}/holdfast_${name}_owner")" <<'SQL'
create role :"owner" login password :'owner_password';
create role :"service" login password :'service_password';
create database :"database" owner :"owner" template template0 encoding 'UTF8' locale 'C.UTF-8';
revoke all on database :"database" from public;
grant connect, temporary on database :"database" to :"service";
\connect :database
alter default privileges for role :"owner" in schema public
  grant select, insert, update, delete on tables to :"service";
alter default privileges for role :"owner" in schema public
  grant usage, select on sequences to :"service";
SQL
done
