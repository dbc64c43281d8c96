/** A pg_hba.conf for the tests' servers: the superuser's password is checked, the roles that tests make have none. */
export const rolesMayConnect = `host all postgres all scram-sha-256
host replication postgres all scram-sha-256
host all all all trust
`
