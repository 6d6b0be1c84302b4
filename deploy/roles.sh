# Runs once, when the server makes its data folder: the three roles and the portal's database.
psql --username postgres --set ON_ERROR_STOP=1 --quiet <<'SQL'
\set owner `cat /run/secrets/owner_password`
\set web `cat /run/secrets/web_password`
\set worker `cat /run/secrets/worker_password`
CREATE ROLE "union" LOGIN PASSWORD :'owner';
CREATE ROLE union_web LOGIN PASSWORD :'web';
CREATE ROLE union_worker LOGIN PASSWORD :'worker';
CREATE DATABASE union_portal OWNER "union";
SQL
