# shellcheck shell=bash
# Many machines: simulated hosts for scale, timing and fault injection, inside a lab of lab.sh (sourced here, started by lab_start).
# Each is a network, mount, UTS and pid namespace with its own writable root of the lab's image and its own sshd as init's child;
# no systemd. /run and so /var/run/wireguard are its own; wireguard-go and wg work. Host I is called simI, address sim_ip I.

# shellcheck source=tests/lab/lab.sh
[ -n "${LAB_LIB-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/lab.sh"

SIM_LIB=$LAB_LIB/sim-inside.sh
export SIM_LIB

# Runs a function of sim-inside.sh inside the lab's namespaces.
sim_in() {
	# shellcheck disable=SC2016
	lab_in eval '. "$SIM_LIB" && '"$(printf '%q ' "$@")"
}

# Brings up the simulated hosts 1 to $1 (those that are not up yet) and waits until all their sshd answer.
sim_up() {
	sim_in sim_up_all "$1"
}

# Prints the address of the simulated host $1.
sim_ip() {
	printf '10.77.%d.%d\n' $((($1 - 1) / 200 + 1)) $((($1 - 1) % 200 + 1))
}

# Runs the shell text $2 as root in the simulated host $1, not through SSH.
sim_on() {
	lab_in host_on "sim$1" "$2"
}

# Stops every process of the simulated host $1 without ending it: connections hang. sim_thaw lets it go on.
sim_freeze() {
	sim_in sim_signal "$1" STOP
}

# Lets the frozen simulated host $1 go on.
sim_thaw() {
	sim_in sim_signal "$1" CONT
}

# Ends the simulated host $1 as a power cut would; sim_up brings it up again with an empty disk.
sim_kill() {
	sim_in sim_end "$1"
}

# Prints a known_hosts line for every simulated host.
sim_keys() {
	sim_in sim_known_hosts
}

# Ends all simulated hosts and frees their disks; the lab goes on.
sim_down() {
	sim_in sim_down_all
}
