#!/bin/bash
exec python3 -m waemu.core
