# SPDX-License-Identifier: Apache-2.0
"""P140 to P149: networks. title, rule, wrong, right, fix."""

NETWORK = {
    "P140": (
        "not an Ethernet address",
        "an Ethernet address is six pairs of hexadecimal digits with colons, in quotes",
        "plant: {to: io.plant, mac: 52:54:00:12:34:56}",
        'plant: {to: io.plant, mac: "52:54:00:12:34:56"}',
        "Quote it: YAML 1.1 readers take it for a number to the base of 60.",
    ),
    "P141": (
        "a group's address for one",
        "the address of a channel is that of one station: the first byte is even, and not all are zero",
        'plant: {to: io.plant, mac: "01:00:5e:00:00:01"}',
        'plant: {to: io.plant, mac: "02:00:5e:00:00:01"}',
        "Take the one that the message names, or leave mac out: one is derived from the names.",
    ),
    "P142": (
        "one station's address for a group",
        "groups are multicast addresses: the first byte is odd; broadcast is heard by everyone",
        'plant: {to: io.plant, groups: ["52:54:00:00:00:0b"]}',
        'plant: {to: io.plant, groups: ["01:00:5e:00:00:fb"]}',
        "Frames to a station reach it without a group.",
    ),
    "P143": (
        "one address twice",
        "each channel of a network endpoint has an address of its own",
        'a: {channels: {plant: {to: io.plant, mac: "52:54:00:00:00:0a"}}}\n'
        'b: {channels: {plant: {to: io.plant, mac: "52:54:00:00:00:0a"}}}',
        'a: {channels: {plant: {to: io.plant, mac: "52:54:00:00:00:0a"}}}\n'
        'b: {channels: {plant: {to: io.plant, mac: "52:54:00:00:00:0b"}}}',
        "Change one, or leave mac out.",
    ),
    "P144": (
        "talking to somebody who is not there",
        "`talks_to` names partitions with a channel to the same network endpoint, or the word wire",
        "sensor: {channels: {plant: {to: io.plant, talks_to: [logger]}}}    # logger has no channel to io.plant",
        "sensor: {channels: {plant: {to: io.plant, talks_to: [logger]}}}\nlogger: {channels: {plant: io.plant}}",
        "Give it a channel, or remove the name.",
    ),
    "P145": (
        "talking to somebody who may not answer",
        "frames pass between two channels of a network where both lists allow it and both are in one VLAN",
        "sensor: {channels: {plant: {to: io.plant, talks_to: [logger]}}}\n"
        "logger: {channels: {plant: {to: io.plant, talks_to: [wire]}}}",
        "sensor: {channels: {plant: {to: io.plant, talks_to: [logger]}}}\n"
        "logger: {channels: {plant: {to: io.plant, talks_to: [sensor, wire]}}}",
        "Add the name to the other list, or remove it here.",
    ),
    "P146": (
        "a wire that is not there",
        "`wire` in `talks_to` means the uplink of the network endpoint, its card",
        "io: {endpoints: {bus: {network: none}}}\nsensor: {channels: {bus: {to: io.bus, talks_to: [wire]}}}",
        "io: {devices: [nic0], endpoints: {bus: {network: nic0}}}",
        "Remove it; or give the endpoint a card; or rename the partition that is called so.",
    ),
    "P147": (
        "too many groups",
        "the channels of one network endpoint listen to no more than LIMIT_GROUPS groups (abi/limits.h)",
        'groups: ["01:00:5e:00:00:00", …]    # a hundred of them',
        'groups: ["01:00:5e:00:00:fb"]',
        "Use fewer groups.",
    ),
    "P148": (
        "two networks on one card",
        "a card is the uplink of one network endpoint, which its clients share",
        "a: {network: nic0}\nb: {network: nic0}",
        "plant: {network: nic0}",
        "Divide one network by vlan and talks_to.",
    ),
    "P149": (
        "a channel that nobody hears (warning)",
        "a network channel reaches somebody: another channel of its endpoint, or the wire",
        "bus: {network: none}    # with one channel to it",
        "bus: {network: none}    # with two",
        "Lead another channel there, put both into one VLAN, or remove it.",
    ),
}
