-- Not copies alone rest until other devices are there: deletions and validations of folders there do as well.
ALTER TABLE copy_waits RENAME TO job_waits;
