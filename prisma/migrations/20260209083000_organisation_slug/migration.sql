-- AlterTable
ALTER TABLE "Organisation" ADD COLUMN     "slug" VARCHAR(80);

-- Existing organisations get the slug of their name. Of several with the same one the eldest keeps it; the others,
-- and those with no letter or digit in their name, get the start of their id as well.
WITH "named" AS (
    SELECT
        "id",
        "createdAt",
        rtrim(left(ltrim(regexp_replace(lower("name"), '[^a-z0-9]+', '-', 'g'), '-'), 71), '-') AS "base"
    FROM "Organisation"
),
"ranked" AS (
    SELECT
        "id",
        "base",
        row_number() OVER (PARTITION BY "base" ORDER BY "createdAt", "id") AS "rank"
    FROM "named"
)
UPDATE "Organisation"
SET "slug" = CASE
    WHEN "ranked"."base" = '' THEN left("ranked"."id"::text, 8)
    WHEN "ranked"."rank" = 1 THEN "ranked"."base"
    ELSE "ranked"."base" || '-' || left("ranked"."id"::text, 8)
END
FROM "ranked"
WHERE "ranked"."id" = "Organisation"."id";

-- AlterTable
ALTER TABLE "Organisation" ALTER COLUMN "slug" SET NOT NULL;

-- CreateIndex
CREATE UNIQUE INDEX "Organisation_slug_key" ON "Organisation"("slug");
