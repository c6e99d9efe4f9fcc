-- What the guard holds, and less work for a run. The rules of 0001 hold here as well.

-- How many objects of the kind there were when the guard first held this one; NULL for one that an earlier version holds.
ALTER TABLE held ADD COLUMN present BIGINT;
