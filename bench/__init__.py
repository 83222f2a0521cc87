# SPDX-License-Identifier: Apache-2.0
"""The figures of the project, and where the instructions go. Run as `python -m bench` and `python -m bench.profile`."""
