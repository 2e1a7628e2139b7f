#!/usr/bin/env bash
# The whole road on an order file of your own: sh examples/own_data.sh ORDERS.csv MYSHOP
set -euo pipefail
orders=$1 shop=${2:-myshop}
lingxi init "$shop" --currency "${CURRENCY:-GBP}" --timezone "${TIMEZONE:-Europe/London}"
lingxi import orders "$orders" --shop "$shop"
lingxi quality --shop "$shop"
lingxi train --shop "$shop"
lingxi plan --shop "$shop"
echo "Now: lingxi serve --shop $shop"
