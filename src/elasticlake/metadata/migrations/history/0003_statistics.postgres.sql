-- Where an attempt went, and how long its steps took (milliseconds).
ALTER TABLE attempts ADD COLUMN address TEXT COLLATE "C";
ALTER TABLE attempts ADD COLUMN dns_ms DOUBLE PRECISION;
ALTER TABLE attempts ADD COLUMN connect_ms DOUBLE PRECISION;
ALTER TABLE attempts ADD COLUMN tls_ms DOUBLE PRECISION;
ALTER TABLE attempts ADD COLUMN first_byte_ms DOUBLE PRECISION;

-- What was attempted for a webhook in five minutes: slot counts these since the Unix epoch. The attempts that failed, by
-- why; and all, by how long they took (took_n is the n-th bucket). One partition a day (UTC), dropped with the attempts.
CREATE TABLE attempt_statistics (
    day                    DATE NOT NULL,
    webhook_id             TEXT COLLATE "C" NOT NULL,
    slot                   BIGINT NOT NULL,
    delivered              BIGINT NOT NULL,
    failed_refused_address BIGINT NOT NULL,
    failed_dns             BIGINT NOT NULL,
    failed_connect         BIGINT NOT NULL,
    failed_tls             BIGINT NOT NULL,
    failed_timeout         BIGINT NOT NULL,
    failed_reset           BIGINT NOT NULL,
    failed_protocol        BIGINT NOT NULL,
    failed_redirect        BIGINT NOT NULL,
    failed_4xx             BIGINT NOT NULL,
    failed_5xx             BIGINT NOT NULL,
    failed_other           BIGINT NOT NULL,
    took_0                 BIGINT NOT NULL,
    took_1                 BIGINT NOT NULL,
    took_2                 BIGINT NOT NULL,
    took_3                 BIGINT NOT NULL,
    took_4                 BIGINT NOT NULL,
    took_5                 BIGINT NOT NULL,
    took_6                 BIGINT NOT NULL,
    took_7                 BIGINT NOT NULL,
    took_8                 BIGINT NOT NULL,
    took_9                 BIGINT NOT NULL,
    took_10                BIGINT NOT NULL,
    took_11                BIGINT NOT NULL,
    took_12                BIGINT NOT NULL,
    took_13                BIGINT NOT NULL,
    took_14                BIGINT NOT NULL,
    took_15                BIGINT NOT NULL,
    took_16                BIGINT NOT NULL,
    took_17                BIGINT NOT NULL,
    took_18                BIGINT NOT NULL,
    took_19                BIGINT NOT NULL,
    took_20                BIGINT NOT NULL,
    took_21                BIGINT NOT NULL,
    took_22                BIGINT NOT NULL,
    took_23                BIGINT NOT NULL,
    took_24                BIGINT NOT NULL,
    PRIMARY KEY (day, webhook_id, slot)
) PARTITION BY RANGE (day);
