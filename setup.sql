-- Creates the database of monitor_service: both tables, the index for its polls, and sample rows.
--
--   mysql < setup.sql        (or: mariadb < setup.sql), as an administrator of the server
--
-- For MySQL 5.7 and later and MariaDB 10.3 and later. It can be run again, and over the database of the bash service: it adds
-- what is missing, and changes or deletes no existing row. At its end it prints how to create the daemon's user.

SET NAMES utf8mb4;

CREATE DATABASE IF NOT EXISTS v_process_monitor CHARACTER SET utf8mb4;
USE v_process_monitor;

-- The processes that are watched, by the name of their unit, program or section [process.NAME].
CREATE TABLE IF NOT EXISTS PROCESE (
  process_id INT NOT NULL PRIMARY KEY,
  process_name VARCHAR(255)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;

-- Their state. Whoever finds a fault of a process sets alarma = 1 (and says why in notes); the daemon restarts the process, and
-- sets alarma = 0 once it is well. sound = 1: an operator has acknowledged the alarm, and the daemon leaves it alone.
CREATE TABLE IF NOT EXISTS STATUS_PROCESS (
  process_id INT NOT NULL PRIMARY KEY,
  alarma TINYINT DEFAULT 0,
  sound TINYINT DEFAULT 0,
  notes TEXT
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;

-- With this index a poll takes as long with a hundred thousand rows as with a hundred. (MySQL has no ADD INDEX IF NOT EXISTS.)
SET @has_index = (
  SELECT COUNT(*) FROM information_schema.STATISTICS
  WHERE TABLE_SCHEMA = 'v_process_monitor' AND TABLE_NAME = 'STATUS_PROCESS' AND SEQ_IN_INDEX = 1 AND COLUMN_NAME = 'alarma'
);
SET @add_index = IF(@has_index = 0, 'ALTER TABLE STATUS_PROCESS ADD INDEX alarm_poll (alarma, sound, process_id)', 'DO 0');
PREPARE add_index FROM @add_index;
EXECUTE add_index;
DEALLOCATE PREPARE add_index;

-- Sample rows, only if the database has no rows: none is in alarm, so that nothing is restarted because of them.
SET @is_new = (SELECT COUNT(*) FROM PROCESE) + (SELECT COUNT(*) FROM STATUS_PROCESS) = 0;

INSERT INTO PROCESE (process_id, process_name)
SELECT process_id, process_name FROM (
  SELECT 1 AS process_id, 'nginx' AS process_name
  UNION ALL SELECT 2, 'app-backend'
  UNION ALL SELECT 3, 'custom_example'
) AS sample WHERE @is_new;

INSERT INTO STATUS_PROCESS (process_id, alarma, sound, notes)
SELECT process_id, 0, 0, NULL FROM (
  SELECT 1 AS process_id
  UNION ALL SELECT 2
  UNION ALL SELECT 3
) AS sample WHERE @is_new;

-- The next steps. The daemon needs no more than these privileges; with clear_alarm = false it needs only SELECT.
SELECT '-- The database v_process_monitor is ready. Create the user of the daemon, with a password of your own:' AS next_steps
UNION ALL SELECT 'CREATE USER IF NOT EXISTS ''monitor_service''@''localhost'' IDENTIFIED BY ''your_password'';'
UNION ALL SELECT 'GRANT SELECT, UPDATE (alarma, notes) ON v_process_monitor.STATUS_PROCESS TO ''monitor_service''@''localhost'';'
UNION ALL SELECT 'GRANT SELECT ON v_process_monitor.PROCESE TO ''monitor_service''@''localhost'';'
UNION ALL SELECT '-- Then set user and password in config.ini. To raise an alarm: UPDATE STATUS_PROCESS SET alarma = 1, sound = 0, notes = ''why'' WHERE process_id = 1;';
