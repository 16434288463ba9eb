-- A gallery on a server of schema 1, as sameface made it until November 2026: its tables, and two people.
CREATE TABLE sameface_gallery (key text PRIMARY KEY, value text NOT NULL);
CREATE SEQUENCE sameface_numbers;
CREATE TABLE sameface_name (name text PRIMARY KEY, person_id uuid NOT NULL);
CREATE TABLE sameface_person (
    person_id uuid PRIMARY KEY, number bigint NOT NULL, name text NOT NULL, details text NOT NULL, created text NOT NULL
);
CREATE INDEX sameface_person_number ON sameface_person (number);
CREATE TABLE sameface_membership (person_id uuid NOT NULL, group_name text NOT NULL, PRIMARY KEY (person_id, group_name));
CREATE INDEX sameface_membership_group ON sameface_membership (group_name);
CREATE TABLE sameface_template (
    person_id uuid NOT NULL, template_id bigint NOT NULL, crc bigint NOT NULL, embedding vector(8) NOT NULL,
    source text NOT NULL, source_sha256 text NOT NULL, box double precision[], quality double precision,
    PRIMARY KEY (person_id, template_id)
);
ALTER TABLE sameface_template ALTER COLUMN embedding SET STORAGE PLAIN;
CREATE INDEX sameface_template_source ON sameface_template (source_sha256) WHERE source_sha256 <> '';
CREATE TABLE sameface_audit (
    at text NOT NULL, number bigint NOT NULL DEFAULT nextval('sameface_numbers'), action text NOT NULL, person_id uuid, templates bigint NOT NULL
);
INSERT INTO sameface_gallery VALUES ('schema', '1');
INSERT INTO sameface_gallery VALUES ('gallery_id', '0123456789abcdef0123456789abcdef');
INSERT INTO sameface_gallery VALUES ('encoder', 'test-encoder');
INSERT INTO sameface_gallery VALUES ('detector', 'test-detector');
INSERT INTO sameface_gallery VALUES ('alignment', 'test-alignment');
INSERT INTO sameface_gallery VALUES ('dimension', '8');
INSERT INTO sameface_gallery VALUES ('created', '2026-11-20T08:00:00+00:00');
INSERT INTO sameface_gallery VALUES ('epoch', '0');
INSERT INTO sameface_name VALUES ('Ada', '11111111-1111-4111-8111-111111111111');
INSERT INTO sameface_person VALUES ('11111111-1111-4111-8111-111111111111', nextval('sameface_numbers'), 'Ada', '{}', '2026-11-20T08:00:00+00:00');
INSERT INTO sameface_template VALUES ('11111111-1111-4111-8111-111111111111', nextval('sameface_numbers'), 605807726, '[1,0,0,0,0,0,0,0]', '', '', NULL, NULL);
INSERT INTO sameface_audit (at, action, person_id, templates) VALUES ('2026-11-20T08:00:00+00:00', 'add', '11111111-1111-4111-8111-111111111111', 1);
INSERT INTO sameface_name VALUES ('Grace', '22222222-2222-4222-8222-222222222222');
INSERT INTO sameface_person VALUES ('22222222-2222-4222-8222-222222222222', nextval('sameface_numbers'), 'Grace', '{}', '2026-11-20T08:00:00+00:00');
INSERT INTO sameface_template VALUES ('22222222-2222-4222-8222-222222222222', nextval('sameface_numbers'), 1101896455, '[0,1,0,0,0,0,0,0]', '', '', NULL, NULL);
INSERT INTO sameface_audit (at, action, person_id, templates) VALUES ('2026-11-20T08:00:00+00:00', 'add', '22222222-2222-4222-8222-222222222222', 1);
