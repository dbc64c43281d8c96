CREATE INDEX CONCURRENTLY "Trial_name_idx" ON "Trial" ("name");
