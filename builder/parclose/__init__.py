# SPDX-License-Identifier: Apache-2.0
"""Parclose: a YAML layout becomes one bootable image of partitions that cannot harm each other."""
