-- User.name becomes User.displayName, second of three steps: the rows from before the trigger.
UPDATE "User"
SET "displayName" = "name"
WHERE "displayName" IS NULL;
