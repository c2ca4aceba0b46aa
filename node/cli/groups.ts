/** One line for each word that only groups others. */
export const groups: Readonly<Record<string, string>> = {
  config: 'Settings of this instance',
  daemon: 'The background process',
  file: 'Copy, move, delete, compare files',
  'file trash': 'What was deleted or replaced',
  index: 'Look into folders and index them',
  instance: 'Daemons on this machine',
  job: 'Work in the background',
  label: 'Labels: tags in a tree, as in Projects/Web',
  library: 'Libraries: what is known of your files',
  location: 'Folders that a library indexes',
  network: 'Other devices: pair, drop files, talk',
  'network pair': 'Pair two devices by twelve words',
  sync: 'Keep folders in step',
  system: 'Logs and records of this device',
  tag: 'Tags on files',
  volume: 'Disks and what is on them'
}
