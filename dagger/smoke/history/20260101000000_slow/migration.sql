CREATE TABLE "Trial" ("id" INTEGER PRIMARY KEY, "name" TEXT);
SELECT pg_sleep(2);
