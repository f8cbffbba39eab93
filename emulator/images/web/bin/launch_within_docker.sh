#!/bin/bash
exec "$(dirname "$0")/web_setup.sh"
