# Boots a real systemd as PID 1 in namespaces of its own, over a copy-on-write view of this machine.
# Called as: sh systemd.sh FOLDER FILES SOCKET; FILES are laid over the root, SOCKET hears READY=1.
set -eu
folder=$1
files=$2
socket=$3
root=$folder/root

# Control groups of its own, so that the new systemd sees none of this machine's.
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    if [ -e "$hierarchy/cgroup.procs" ]; then
        mkdir "$hierarchy/drumbeat-test-$$"
        echo $$ >"$hierarchy/drumbeat-test-$$/cgroup.procs"
    fi
done

export folder files socket root
exec unshare --mount --pid --fork --kill-child --ipc --uts --cgroup --propagation private sh -euc '
mount -t tmpfs layers "$folder"
mkdir "$folder/upper" "$folder/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs tmp "$root/tmp"
mount --rbind /dev "$root/dev"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup "$root/sys/fs/cgroup"
else
    mount -t tmpfs cgroup "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd" "$root/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
    mount -t cgroup2 cgroup "$root/sys/fs/cgroup/unified"
fi

# Only what the test brings is started: nothing may touch the kernel that is shared.
rm -rf "$root"/etc/systemd/system/*.wants "$root"/lib/systemd/system/*.wants
cp -r "$files"/. "$root/"

# Credentials and PrivateUsers= need a root that is truly the root, and shared mounts.
mkdir -p "$root/oldroot"
mount --make-rprivate /
cd "$root"
pivot_root . oldroot
umount -l /oldroot
mount --make-rshared /
exec env -i container=drumbeat-test NOTIFY_SOCKET="$socket" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=drumbeat-test.target --show-status=0
'
