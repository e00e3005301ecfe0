# A container without a runtime, in a mount namespace that ends with its process.
# Arguments: the folder to become the root, the binary, its path in the container, pairs of folder and mount path,
# `--`, the container's arguments.
root=$1 binary=$2 entrypoint=$3
shift 3
mount -t tmpfs -o mode=0755 tmpfs "$root"

# A debug build is linked dynamically; these folders replace the libraries of the image.
for folder in dev proc lib lib64 usr/lib usr/lib64 nix; do
    [ -d "/$folder" ] || continue
    mkdir -p "$root/$folder"
    mount --rbind "/$folder" "$root/$folder"
done

mkdir -p "$(dirname "$root$entrypoint")"
: >"$root$entrypoint"
mount --bind "$binary" "$root$entrypoint"
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --rbind "$1" "$root$2"
    shift 2
done
shift

# As with readOnlyRootFilesystem, also if the pod does not set it.
mount -o remount,bind,ro "$root"
exec chroot "$root" "$entrypoint" "$@"
