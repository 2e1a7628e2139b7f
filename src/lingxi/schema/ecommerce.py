"""The vocabulary of shop events: each event's properties as a typed struct.

Source: Segment, "Spec: V2 Ecommerce Events", "Spec: Email" and "Spec: A/B Testing"; names and
properties are theirs. ``revenue`` leaves out shipping and tax, ``total`` holds them.
"""

from collections.abc import Mapping

import msgspec

Text = str | None
Number = float | None


class Properties(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Properties of an event; a field that a source left out is ``None``."""


class ProductFields(Properties, frozen=True):
    """What the specification lets every product say."""

    product_id: Text = None
    sku: Text = None
    category: Text = None
    name: Text = None
    brand: Text = None
    variant: Text = None
    price: Number = None
    quantity: Number = None
    coupon: Text = None
    position: Number = None
    url: Text = None
    image_url: Text = None


class Product(ProductFields, frozen=True):
    """One product of a list, a cart or an order."""


class WithProducts(Properties, frozen=True):
    """Events about several products."""

    products: tuple[Product, ...] = ()


class OrderMoney(WithProducts, frozen=True):
    """Amounts of a whole order, in units of ``currency``."""

    order_id: Text = None
    affiliation: Text = None
    subtotal: Number = None
    total: Number = None
    revenue: Number = None
    shipping: Number = None
    tax: Number = None
    discount: Number = None
    coupon: Text = None
    currency: Text = None


class TypedValue(Properties, frozen=True):
    """A filter or sort of a product list."""

    type: Text = None
    value: Text = None


class ProductsSearched(Properties, frozen=True):
    """A visitor searched for products."""

    query: Text = None


class ProductListViewed(WithProducts, frozen=True):
    """A visitor looked at a list or category."""

    list_id: Text = None
    category: Text = None


class ProductListFiltered(ProductListViewed, frozen=True):
    """A visitor filtered or sorted a list or category."""

    filters: tuple[TypedValue, ...] = ()
    sorts: tuple[TypedValue, ...] = ()


class Promotion(Properties, frozen=True):
    """A promotion was seen or clicked."""

    promotion_id: Text = None
    creative: Text = None
    name: Text = None
    position: Text = None


class ProductClicked(ProductFields, frozen=True):
    """A visitor clicked on a product."""


class ProductViewed(ProductFields, frozen=True):
    """A visitor looked at a product's details."""

    currency: Text = None
    value: Number = None


class ProductInCart(ProductFields, frozen=True):
    """A product went into a cart or out of it."""

    cart_id: Text = None
    currency: Text = None
    value: Number = None


class CartViewed(WithProducts, frozen=True):
    """A visitor looked at the cart."""

    cart_id: Text = None


class CheckoutStarted(OrderMoney, frozen=True):
    """A visitor began to check out."""

    checkout_id: Text = None
    value: Number = None


class CheckoutStep(Properties, frozen=True):
    """A step of the checkout was seen or completed."""

    checkout_id: Text = None
    step: Number = None
    shipping_method: Text = None
    payment_method: Text = None


class PaymentInfoEntered(CheckoutStep, frozen=True):
    """A visitor said how they pay."""

    order_id: Text = None


class Order(OrderMoney, frozen=True):
    """An order was completed, updated or cancelled."""

    checkout_id: Text = None


class OrderRefunded(OrderMoney, frozen=True):
    """An order was refunded; with products, those of it."""

    refund_id: Text = None


class Coupon(Properties, frozen=True):
    """A coupon was entered, applied, removed or denied."""

    order_id: Text = None
    cart_id: Text = None
    coupon_id: Text = None
    coupon_name: Text = None
    discount: Number = None
    reason: Text = None


class WishlistProduct(ProductFields, frozen=True):
    """A product went onto a wishlist, off it, or from it into a cart."""

    wishlist_id: Text = None
    wishlist_name: Text = None
    cart_id: Text = None


class ProductShared(ProductFields, frozen=True):
    """A visitor shared a product."""

    share_via: Text = None
    share_message: Text = None
    recipient: Text = None


class CartShared(WithProducts, frozen=True):
    """A visitor shared a cart."""

    share_via: Text = None
    share_message: Text = None
    recipient: Text = None
    cart_id: Text = None


class ProductReviewed(Properties, frozen=True):
    """A visitor reviewed a product; the specification has ``rating`` as text."""

    product_id: Text = None
    review_id: Text = None
    review_body: Text = None
    rating: Text = None


class Email(Properties, frozen=True):
    """Something happened to an e-mail."""

    email_id: Text = None
    email_subject: Text = None
    campaign_id: Text = None
    campaign_name: Text = None
    link_id: Text = None
    link_url: Text = None
    list_id: Text = None
    list_name: Text = None


class ExperimentViewed(Properties, frozen=True):
    """A visitor saw a variation of an experiment."""

    experiment_id: Text = None
    experiment_name: Text = None
    variation_id: Text = None
    variation_name: Text = None


class SignedUp(Properties, frozen=True):
    """Somebody opened an account."""

    type: Text = None
    first_name: Text = None
    last_name: Text = None
    email: Text = None
    phone: Text = None
    username: Text = None
    title: Text = None


VOCABULARY: Mapping[str, type[Properties]] = {
    "Products Searched": ProductsSearched,
    "Product List Viewed": ProductListViewed,
    "Product List Filtered": ProductListFiltered,
    "Promotion Viewed": Promotion,
    "Promotion Clicked": Promotion,
    "Product Clicked": ProductClicked,
    "Product Viewed": ProductViewed,
    "Product Added": ProductInCart,
    "Product Removed": ProductInCart,
    "Cart Viewed": CartViewed,
    "Checkout Started": CheckoutStarted,
    "Checkout Step Viewed": CheckoutStep,
    "Checkout Step Completed": CheckoutStep,
    "Payment Info Entered": PaymentInfoEntered,
    "Order Completed": Order,
    "Order Updated": Order,
    "Order Cancelled": Order,
    "Order Refunded": OrderRefunded,
    "Coupon Entered": Coupon,
    "Coupon Applied": Coupon,
    "Coupon Removed": Coupon,
    "Coupon Denied": Coupon,
    "Product Added to Wishlist": WishlistProduct,
    "Product Removed from Wishlist": WishlistProduct,
    "Wishlist Product Added to Cart": WishlistProduct,
    "Product Shared": ProductShared,
    "Cart Shared": CartShared,
    "Product Reviewed": ProductReviewed,
    "Email Delivered": Email,
    "Email Opened": Email,
    "Email Link Clicked": Email,
    "Email Bounced": Email,
    "Email Marked as Spam": Email,
    "Unsubscribed": Email,
    "Experiment Viewed": ExperimentViewed,
    "Signed Up": SignedUp,
}
"""Every event of the specification, by its name."""

ORDER_NAMES = frozenset({"Order Completed", "Order Updated", "Order Cancelled", "Order Refunded"})
"""Events that move money."""
