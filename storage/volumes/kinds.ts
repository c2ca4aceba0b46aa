/** What the names of file systems mean. */

/** Interfaces of the kernel and what programs build for themselves: they hold nobody's files. */
const PSEUDO = new Set(
  (
    'proc sysfs devtmpfs devpts cgroup cgroup2 securityfs debugfs tracefs configfs pstore bpf autofs mqueue hugetlbfs ' +
    'fusectl binfmt_misc rpc_pipefs nsfs efivarfs selinuxfs devfs squashfs fuse.portal fuse.gvfsd-fuse fuse.lxcfs ' +
    'fuse.snapfuse nfsd ramfs'
  ).split(' ')
)

/** In memory, or laid over others. */
const VIRTUAL = new Set(['tmpfs', 'overlay', 'aufs', 'zram'])

const NETWORK = new Set(
  (
    'nfs nfs4 cifs smb3 smbfs afpfs webdav davfs fuse.sshfs fuse.rclone fuse.davfs2 fuse.s3fs fuse.glusterfs ceph ' +
    'glusterfs lustre 9p virtiofs afs ncpfs fuse.curlftpfs'
  ).split(' ')
)

const COPY_ON_WRITE = new Set(['btrfs', 'zfs', 'apfs', 'bcachefs', 'refs'])

export const isPseudo = (fileSystem: string): boolean => PSEUDO.has(fileSystem)
export const isVirtual = (fileSystem: string): boolean => VIRTUAL.has(fileSystem)
export const isNetwork = (fileSystem: string): boolean => NETWORK.has(fileSystem)
/** XFS may have reflinks or not; whether a clone works is found by trying, so it is not promised here. */
export const isCopyOnWrite = (fileSystem: string): boolean => COPY_ON_WRITE.has(fileSystem)

/** Times there are kept in coarse steps, so that an equal time proves less: 2 s on FAT. */
export const timeStepMs = (fileSystem: string): number => (/^(vfat|msdos|exfat|umsdos)$/.test(fileSystem) ? 2000 : 1)
