-- User.name becomes User.displayName, first of three steps: both columns exist.

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "displayName" TEXT;

-- While the old and the new version of the application run side by side, each writes its own column.
-- This keeps the two equal; it goes with the old column.
CREATE FUNCTION "user_sync_display_name"() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW."displayName" := COALESCE(NEW."displayName", NEW."name");
        NEW."name" := COALESCE(NEW."name", NEW."displayName");
    ELSIF NEW."displayName" IS DISTINCT FROM OLD."displayName" THEN
        NEW."name" := NEW."displayName";
    ELSIF NEW."name" IS DISTINCT FROM OLD."name" THEN
        NEW."displayName" := NEW."name";
    END IF;

    RETURN NEW;
END;
$$;

CREATE TRIGGER "user_sync_display_name"
BEFORE INSERT OR UPDATE ON "User"
FOR EACH ROW EXECUTE FUNCTION "user_sync_display_name"();
