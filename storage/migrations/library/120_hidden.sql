-- What people hid is asked for by every search: few rows, and none as a rule.
CREATE INDEX metadata_hidden ON metadata (entry) WHERE hidden = 1;
