/*
  Warnings:

  - You are about to drop the column `name` on the `User` table. All the data in the column will be lost.
  - Made the column `displayName` on table `User` required. This step will fail if there are existing NULL values in that column.

*/
-- User.name becomes User.displayName, last of three steps: nothing reads or writes the old column any more.
DROP TRIGGER "user_sync_display_name" ON "User";

DROP FUNCTION "user_sync_display_name"();

-- AlterTable
ALTER TABLE "User" DROP COLUMN "name",
ALTER COLUMN "displayName" SET NOT NULL;
