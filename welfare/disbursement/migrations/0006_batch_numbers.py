"""The next number of a batch, drawn by the database past what its caller is shown."""

from django.db import migrations

# Asked as the owner: a maker below the federation is not shown what others have sent.
NUMBER = """
CREATE FUNCTION disbursement_next_number(made_in integer) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    drawn text;
    number text;
BEGIN
    LOOP
        drawn := nextval('disbursement_batch_number')::text;
        number := 'P' || made_in || lpad(drawn, greatest(7, length(drawn)), '0');
        EXIT WHEN NOT EXISTS (
            SELECT 1 FROM disbursement_sentmark m WHERE m.batch_number = number);
    END LOOP;
    RETURN number;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("disbursement", "0005_strays_in_order")]
    operations = [
        migrations.RunSQL(NUMBER, "DROP FUNCTION disbursement_next_number(integer)"),
    ]
